"""Letters that continue AWS's reports: where each stands, and the decision on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from controls.errors import Refused, SrmError
from controls.models import Actor, System
from evidence.artifacts.letters import (
    decide_letter,
    letter_standings,
    letters_to_decide,
    require_letter_reviewer,
)
from evidence.forms.artifacts import LetterDecisionForm
from evidence.models import Artifact, ContinuityLetter
from evidence.models.reviews import ReviewDecision
from evidence.views.answers import explanation_page, refused, return_to_work
from srm_project.requests import SignedInRequest


def letter_rows(
    artifact: Artifact, systems: list[System], user: Actor
) -> list[dict[str, Any]]:
    """The letters of all its reports in each system; `may_decide`: waits for `user`."""
    letters = ContinuityLetter.objects.filter(artifact_version__artifact=artifact)
    mine = {(row.letter.pk, row.system.pk) for row in letters_to_decide(user)}
    return [
        {
            "standing": row,
            "may_decide": (row.letter.pk, row.system.pk) in mine,
            "registered_by_me": user.pk in row.registrars,
        }
        for row in letter_standings(letters, systems)
    ]


@require_POST
def letter_decide(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Accept or reject a letter for one system."""
    system = get_object_or_404(System.objects.visible_to(request.user), slug=slug)
    letter = get_object_or_404(
        ContinuityLetter.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
    form = LetterDecisionForm(request.POST)
    try:
        require_letter_reviewer(letter, system, by=request.user)
        if "reason" in form.errors:
            raise Refused({"reason": list(form.errors["reason"])})
        if not form.is_valid():
            sentence = "Say whether you accept or reject."
            return explanation_page(request, sentence, 400)
        acceptance = decide_letter(letter, system, by=request.user, **form.cleaned_data)
    except SrmError as refusal:
        return refused(request, refusal)
    counts = acceptance.decision == ReviewDecision.ACCEPT
    consequence = "its days count" if counts else "none of its days counts"
    messages.success(
        request,
        f"The letter of {letter.issued_on} was {acceptance.past_tense}: {consequence}"
        f" in {system}.",
    )
    return return_to_work(request) or redirect(
        "evidence:artifact", uuid=letter.artifact_version.artifact.uuid
    )
