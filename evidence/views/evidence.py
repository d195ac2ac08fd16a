"""One piece of evidence: what it is, what it proves, and until when."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from evidence.answers import today_of
from evidence.forms.uploads import WithdrawForm
from evidence.models import Evidence, EvidenceLink, EvidenceRevision, LinkState
from evidence.scanning import scanning
from evidence.submitting import may_submit, withdraw
from evidence.views.refusals import explained, refused
from evidence.views.systems import is_officer


@require_GET
def evidence(request: HttpRequest, uuid: Any) -> HttpResponse:
    """Dates, files, revisions, links with their reviews, and what hangs on it."""
    found = get_object_or_404(
        Evidence.objects.visible_to(request.user).select_related(
            "system", "team", "created_by"
        ),
        uuid=uuid,
    )
    revisions = list(
        EvidenceRevision.objects.filter(evidence=found)
        .select_related("uploaded_by", "collected_by")
        .prefetch_related("files__blob", "files__clearance__officer", _links())
        .order_by("-number")
    )
    links = [link for revision in revisions for link in revision.links.all()]
    context = {
        "evidence": found,
        "revisions": revisions,
        "links": links,
        "turning": _turning(links, today_of(found.system)),
        "may_clear": is_officer(request.user, found.system),
        "scanning": scanning(),
        "may_withdraw": _may_withdraw(found, links, request.user),
        "withdraw_form": WithdrawForm(),
    }
    return render(request, "evidence/evidence.html", context)


def _links() -> Prefetch[Any]:
    return Prefetch(
        "links",
        EvidenceLink.objects.for_listing().prefetch_related("reviews").order_by("pk"),
    )


def _turning(
    links: list[EvidenceLink], today: dt.date
) -> list[tuple[dt.date, list[EvidenceLink]]]:
    """Accepted links by the last day they prove, soonest first."""
    days: dict[dt.date, list[EvidenceLink]] = {}
    for link in links:
        ends = link.proves_to
        if link.state == LinkState.ACCEPTED and ends is not None and ends >= today:
            days.setdefault(ends, []).append(link)
    return sorted(days.items(), key=lambda each: each[0])


def _may_withdraw(found: Evidence, links: list[EvidenceLink], user: Any) -> bool:
    return bool(links) and may_submit(found, found.team, by=user)


@require_POST
def withdraw_link(request: HttpRequest, uuid: Any) -> HttpResponse:
    """Take one link back, with a reason."""
    link = get_object_or_404(
        EvidenceLink.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return explained(request, "Say why it is withdrawn.", 400)
    try:
        withdraw(link, by=request.user, reason=form.cleaned_data["reason"])
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"Withdrawn: {link}.")
    return redirect("evidence:evidence", uuid=link.revision.evidence.uuid)
