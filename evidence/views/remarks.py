"""What reports say that systems have to answer: written down, answered, decided."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from controls.control_ids import label_of
from controls.errors import Refused, SrmError
from controls.models import System
from evidence.artifacts.remark_answers import (
    ANSWERED,
    answer_remark,
    decide_answer,
    remark_standings,
    require_decider,
)
from evidence.artifacts.remarks import register_remark
from evidence.forms.artifacts import OWN_WORDS
from evidence.forms.remarks import RemarkAnswerForm, RemarkDecisionForm, RemarkForm
from evidence.models import ArtifactVersion, RemarkAnswer, ReportRemark
from evidence.models.reviews import ReviewDecision
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explanation_page, refused, return_to_work
from evidence.views.once import once
from evidence.views.register_page import register_page, require_registrar_page
from srm_project.requests import SignedInRequest

ANSWER_WAITS = (
    "Your answer is recorded. It counts once a second person has accepted it: it waits"
    " in the work of the reviewers and the other officers."
)


@require_http_methods(["GET", "POST"])
@once
def remark_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Write down what a report says."""
    mine = ArtifactVersion.objects.visible_to(request.user).for_listing()
    version = get_object_or_404(mine, uuid=uuid)
    require_registrar_page(request)
    form = RemarkForm(request.POST or None)

    def save() -> str:
        register_remark(version, by=request.user, **form.cleaned_data)
        return str(version.artifact.uuid)

    heading = f"What {version} says"
    return register_page(
        request, form, save, heading, OWN_WORDS, done=lambda: _noted(form)
    )


def _noted(form: RemarkForm) -> str:
    """What was written down, and whether each system has to answer it."""
    if form.cleaned_data["kind"] in ANSWERED:
        return "It is recorded. Next, an officer of each system that cites it answers."
    return "It is recorded beside the report. It asks for no answer."


@require_http_methods(["GET", "POST"])
@once
def remark_answer(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Say what a system makes of it; a second person decides."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    mine = ReportRemark.objects.visible_to(request.user).for_listing()
    remark = get_object_or_404(mine, uuid=uuid, kind__in=ANSWERED)
    form = RemarkAnswerForm(request.POST or None, remark=remark)
    report = remark.artifact_version

    def save() -> str:
        answer_remark(remark, system, by=request.user, **form.cleaned_data)
        return str(report.artifact.uuid)

    touches = ", ".join(map(label_of, remark.control_ids))
    hint = ". ".join(text for text in (remark.text, touches and f"Touches {touches}"))
    heading = f"{report} for {system}: {remark}"
    return register_page(
        request, form, save, heading, hint.strip(". "), done=lambda: ANSWER_WAITS
    )


@require_POST
def remark_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Accept or reject an answer, as a second person."""
    mine = RemarkAnswer.objects.visible_to(request.user).for_listing()
    answer: RemarkAnswer = get_object_or_404(mine, uuid=uuid)
    form = RemarkDecisionForm(request.POST)
    try:
        require_decider(answer, by=request.user)
        if "reason" in form.errors:
            raise Refused({"reason": list(form.errors["reason"])})
        if not form.is_valid():
            sentence = "Say whether you accept or reject."
            return explanation_page(request, sentence, 400)
        decided = decide_answer(answer, by=request.user, **form.cleaned_data)
    except SrmError as refusal:
        return refused(request, refusal)
    done = "The answer is accepted: it counts from now on."
    if decided.decision == ReviewDecision.REJECT:
        done = (
            f"The answer is rejected. Next, an officer of {answer.system} answers anew."
        )
    messages.success(request, done)
    artifact = answer.remark.artifact_version.artifact
    return return_to_work(request) or redirect("evidence:artifact", uuid=artifact.uuid)


def remark_rows(
    versions: list[ArtifactVersion], systems: list[System]
) -> dict[int, list[Any]]:
    """What each report says with its standing in each system, by the report's key."""
    remarks = ReportRemark.objects.filter(artifact_version__in=versions).for_listing()
    rows: dict[int, list[Any]] = {}
    for standing in remark_standings(remarks, systems):
        rows.setdefault(standing.remark.artifact_version_id, []).append(standing)
    return rows
