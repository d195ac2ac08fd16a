"""A further revision of evidence: a correction or an addition."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import get_text_list
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted, TransitionNotAllowed
from evidence.forms.revisions import RevisionForm
from evidence.models import Evidence, EvidenceRevision, LinkState
from evidence.status.control_status import today_of
from evidence.submissions.revise import bring_revision, if_corrected, newest, revise
from evidence.submissions.succession import links_of, succession_of
from evidence.submissions.waiting_files import uploads_of
from evidence.submissions.who_may import require_reviser
from evidence.submissions.withdrawals import withdrawals_of
from evidence.views.answers import (
    explain,
    redirect_for_upload,
    refused,
    told_to_come_back,
)
from evidence.views.once import once, was_sent
from evidence.views.uploads import unreadable
from srm_project.requests import SignedInRequest


@csrf_exempt  # checked by `_answer`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def revision_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Correct or add to evidence; rights are checked before a byte is read."""
    evidence_row = get_object_or_404(
        Evidence.objects.visible_to(request.user).select_related("system", "team"),
        uuid=uuid,
    )
    try:
        require_reviser(evidence_row, by=request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _answer(request, evidence_row)
    return response


@csrf_protect
def _answer(request: SignedInRequest, evidence: Evidence) -> HttpResponse:
    form = _form(request, evidence)
    if request.method == "POST" and not was_sent(request) and form.is_valid():
        try:  # the store may be slow: nobody waits for us yet
            _bring(request, evidence, form)
        except ValidationError as refusal:
            return _page(request, evidence, form, refusal)
    answer: HttpResponse = _revised(request, evidence, form)
    return answer


@once
def _revised(
    request: SignedInRequest, evidence: Evidence, form: RevisionForm
) -> HttpResponse:
    if request.method == "GET" or not form.is_valid():
        return _page(request, evidence, form)
    try:
        revision = revise(
            evidence,
            form.submission(),
            uploads_of(form.cleaned_data["files"]),
            kind=form.cleaned_data["kind"],
            reason=form.cleaned_data["reason"],
            by=request.user,
            today=today_of(evidence.system),
        )
    except ValidationError as refusal:
        return _page(request, evidence, form, refusal)
    messages.success(request, _outcome(revision))
    return redirect_for_upload(
        request, redirect("evidence:evidence", uuid=evidence.uuid)
    )


def _bring(request: SignedInRequest, evidence: Evidence, form: RevisionForm) -> None:
    bring_revision(
        evidence,
        form.submission(),
        uploads_of(form.cleaned_data["files"]),
        by=request.user,
        today=today_of(evidence.system),
    )


def _page(
    request: SignedInRequest,
    evidence: Evidence,
    form: RevisionForm,
    refusal: ValidationError | None = None,
) -> HttpResponse:
    """The form, with what speaks against it; of what cannot be revised, only that."""
    succession = succession_of(links_of(evidence))
    try:
        succession.refuse_empty()
    except TransitionNotAllowed as nothing_left:
        return refused(request, nothing_left)
    status = 400 if form.errors else 200
    if refusal is not None:
        explain(form, refusal)
        status = getattr(refusal, "status_code", 400)
    links = [*succession.submitted, *succession.drafted]
    context = {
        "form": form,
        "evidence": evidence,
        "succession": succession,
        "withdrawals": withdrawals_of(links),
        "turns": if_corrected(succession, evidence.system, today_of(evidence.system)),
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
    }
    page = render(request, "evidence/evidence/revision.html", context, status=status)
    return told_to_come_back(page, refusal)


def _form(request: SignedInRequest, evidence: Evidence) -> RevisionForm:
    last = newest(evidence)
    return RevisionForm(
        request.POST or None,
        request.FILES or None,
        today=today_of(evidence.system),
        system=evidence.system,
        collector=last.collected_by,
        initial={
            "performed_on": last.performed_on,
            "period_start": last.period_from,
            "period_end": last.period_last,
            "collected_on": today_of(evidence.system),
        },
    )


def _outcome(revision: EvidenceRevision) -> str:
    """For which controls it was submitted, and for which it is kept as a draft."""
    controls: dict[str, list[str]] = {LinkState.SUBMITTED: [], LinkState.DRAFT: []}
    for link in revision.links.for_listing().order_by("pk"):
        label = link.implementation.control.label
        if label not in controls[link.state]:
            controls[link.state].append(label)
    submitted, drafted = controls[LinkState.SUBMITTED], controls[LinkState.DRAFT]
    sentences = []
    if submitted:
        named = get_text_list(submitted, "and")
        sentences.append(f"Submitted for {named}. Somebody else reviews it now.")
    if drafted:
        named = get_text_list(drafted, "and")
        sentences.append(f"Kept as a draft for {named}. Submit it when it is ready.")
    return " ".join(sentences)
