"""Evidence offered for further asks, chosen with the picker."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from controls.errors import NotPermitted
from controls.grammar import count_of
from evidence.forms.uploads import AttachForm
from evidence.models import Evidence
from evidence.status.control_status import today_of
from evidence.submissions.revise import attach, locked_newest, newest
from evidence.submissions.submit import provable_by
from evidence.submissions.who_may import require_reviser
from evidence.submissions.withdrawals import withdrawals_of
from evidence.views.answers import explain, refused
from evidence.views.once import once
from evidence.views.picker import PART, SEARCH, picker_of
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@once
def attach_more(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Offer the newest revision for further requirements; each review is its own."""
    evidence = get_object_or_404(
        Evidence.objects.visible_to(request.user).select_related("system", "team"),
        uuid=uuid,
    )
    try:
        require_reviser(evidence, by=request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    sent = request.method == "POST" and SEARCH not in request.POST
    provable = provable_by(evidence.team, evidence.system, today_of(evidence.system))
    form = AttachForm(request.POST if sent else None, requirements=provable)
    if form.is_valid():
        try:
            _attach(request, evidence, form)
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            number = len(form.cleaned_data["requirement"])
            waiting = count_of(number, "ask") + (" waits" if number == 1 else " wait")
            messages.success(request, f"Attached; {waiting} for a review of its own.")
            return redirect("evidence:evidence", uuid=evidence.uuid)
    return _page(request, evidence, form)


@transaction.atomic
def _attach(request: SignedInRequest, evidence: Evidence, form: AttachForm) -> None:
    """All of what was chosen, or nothing."""
    revision = locked_newest(evidence)
    for requirement in form.cleaned_data["requirement"]:
        attach(revision, requirement=requirement, by=request.user)


def _page(
    request: SignedInRequest, evidence: Evidence, form: AttachForm
) -> HttpResponse:
    typed = request.POST if request.method == "POST" else request.GET
    picker = picker_of(
        form.fields["requirement"].queryset,  # type: ignore[attr-defined]
        typed.get("q", ""),
        typed.getlist("requirement"),
        name="requirement",
    )
    if request.method == "GET" and request.htmx.target == PART:  # type: ignore[attr-defined]
        return render(request, "evidence/partials/picked.html", {"picker": picker})
    links = list(newest(evidence).links.for_listing().order_by("pk"))
    context = {
        "evidence": evidence,
        "form": form,
        "picker": picker,
        "links": links,
        "withdrawals": withdrawals_of(links),
    }
    status = 400 if form.errors else 200
    return render(request, "evidence/evidence/attach.html", context, status=status)
