"""What systems cite series for: cited, taken back, decided on by a second person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from controls.errors import NotPermitted, Refused, SrmError
from controls.grammar import count_of
from controls.models import Actor, System
from evidence.artifacts import citation_decisions, citations
from evidence.forms.artifacts import CiteForm, LetterDecisionForm
from evidence.models import Artifact, Citation
from evidence.views.answers import explanation_page, refused, return_to_work
from evidence.views.once import once
from evidence.views.register_page import artifact_or_404, register_page
from srm_project.requests import SignedInRequest


def citation_rows(artifact: Artifact, user: Actor) -> list[dict[str, Any]]:
    """What the systems a person may read cite a series for, and where each stands."""
    visible = Citation.objects.visible_to(user).filter(artifact=artifact)
    officered = set(citations.systems_to_cite_in(user).values_list("pk", flat=True))
    return [
        {
            "standing": row,
            "may_change": row.citation.system_id in officered,
            "mine": user.pk in row.registrars,
        }
        for row in citation_decisions.citation_standings(visible)
    ]


@require_http_methods(["GET", "POST"])
@once
def cite(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Offer a series as proof of many controls of one system at once."""
    artifact = artifact_or_404(request, uuid)
    try:
        citations.require_citer(request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    form = CiteForm(request.POST or None, user=request.user)

    def save() -> str:
        form_data = form.cleaned_data
        system = form_data["system"]
        if form_data["proposed"]:
            controls = citations.proposed_controls(artifact, system)
        else:
            controls = citations.controls_of_provider(
                artifact, system, form_data["family"]
            )
        number = citations.cite(
            artifact,
            system,
            controls,
            citation=form_data["citation"],
            by=request.user,
        )
        _say_what_is_cited(request, artifact, system, number, len(controls))
        return str(artifact.uuid)

    return register_page(request, form, save, f"Cite {artifact}")


def _say_what_is_cited(
    request: SignedInRequest, artifact: Artifact, system: System, new: int, of: int
) -> None:
    """What was added, and what has to happen before it counts."""
    if not new:
        there = "No control is left to cite it for"
        if of:
            there = f"{count_of(of, 'control', 'cites')} it already"
        messages.info(request, f"{there}: nothing was added.")
        return
    count_once = "They count" if new > 1 else "It counts"
    judged = (
        f"{count_once} once somebody else has read a report of it and relies on it."
    )
    if citation_decisions.is_relied_on(artifact, system):
        judged = (
            f"{count_once} once a second person has accepted that: a report of it was"
            " reviewed here before."
        )
    cited = f"Cited for {new} more of {count_of(of, 'control')}."
    messages.success(request, f"{cited} {judged}")


@require_POST
def citation_remove(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Stop offering a series for one control of a system."""
    citation = get_object_or_404(
        Citation.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
    try:
        citations.remove_citation(citation, by=request.user)
    except SrmError as refusal:
        return refused(request, refusal)
    messages.success(
        request,
        f"{citation.system} no longer cites it for {citation.control.label}. What it"
        " proved before stays on record.",
    )
    return redirect("evidence:artifact", uuid=citation.artifact.uuid)


@require_POST
def citations_decide(request: SignedInRequest, slug: str) -> HttpResponse:
    """Accept or reject the ticked citations of one system in one act."""
    system = get_object_or_404(System.objects.visible_to(request.user), slug=slug)
    form = LetterDecisionForm(request.POST)
    try:
        citation_decisions.require_decider(system, by=request.user)
        rows = _ticked(request, system)
        if "reason" in form.errors:
            raise Refused({"reason": list(form.errors["reason"])})
        if not form.is_valid():
            sentence = "Say whether you accept or reject."
            return explanation_page(request, sentence, 400)
        decided = citation_decisions.decide_citations(
            rows, system, by=request.user, **form.cleaned_data
        )
    except SrmError as refusal:
        return refused(request, refusal)
    word = decided[0].past_tense
    messages.success(request, f"{count_of(len(decided), 'citation')} {word}.")
    return return_to_work(request) or redirect(
        "evidence:artifact", uuid=rows[0].artifact.uuid
    )


def _ticked(request: SignedInRequest, system: System) -> list[Citation]:
    """The citations named by the form. Raises Refused where one is none here."""
    named = set(request.POST.getlist("citations"))
    here = Citation.objects.filter(system=system).for_listing()
    try:
        rows = list(here.filter(uuid__in=named))
    except ValidationError:
        rows = []
    if not rows or len(rows) != len(named):
        sentence = "Tick citations of this system that are still there."
        raise Refused({"citations": sentence})
    return rows
