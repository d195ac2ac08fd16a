"""One piece of evidence: what it is, what it proves, and until when."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.access import is_officer
from controls.event_words import HistoryRow, event_rows
from controls.models import Actor, AuditEvent
from evidence.files.scan import scanning
from evidence.files.who_may import may_clear
from evidence.forms.clocks import clocks_of
from evidence.forms.uploads import WithdrawForm
from evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceRevision,
    LinkState,
    RequirementControl,
)
from evidence.models.proof import NO_END
from evidence.models.retention import IsHeld, KeptUntil
from evidence.reviews.reconfirm import reconfirm
from evidence.status.control_status import today_of
from evidence.status.what_if import Turn, if_lapsed, if_withdrawn
from evidence.submissions import submit
from evidence.submissions.submit import withdraw
from evidence.submissions.who_may import (
    may_revise,
    require_withdrawer,
    withdraws_acceptances,
)
from evidence.submissions.withdrawals import withdrawals_of
from evidence.views.answers import (
    refused,
    return_to_work,
    typed_reason,
)
from srm_project.requests import SignedInRequest

SHOWN = 3  # days of lapse that a page shows
MAX_EVENTS = 30  # newest ones that a page shows


@require_GET
def evidence(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Dates, files, revisions, links with their reviews, and what hangs on it."""
    evidence_row = get_object_or_404(
        Evidence.objects.visible_to(request.user)
        .select_related("system", "team", "created_by")
        .annotate(kept_until=KeptUntil("pk"), held=IsHeld("pk")),
        uuid=uuid,
    )
    revisions = list(
        EvidenceRevision.objects.filter(evidence=evidence_row)
        .select_related("uploaded_by", "collected_by")
        .prefetch_related(
            "files__blob", "files__clearance__officer", "files__removals", _links()
        )
        .order_by("-number")
    )
    links = [link for revision in revisions for link in revision.links.all()]
    context = {
        "evidence": evidence_row,
        "clocks": clocks_of(request, evidence_row.system),
        "revisions": revisions,
        "links": links,
        "withdrawals": withdrawals_of(links),
        "turning": _turning(evidence_row, links, today_of(evidence_row.system)),
        "officer": is_officer(request.user, evidence_row.system),
        "no_end": NO_END,
        "events": _events(evidence_row, revisions, links, request.user),
        "clearable": _clearable(revisions, request.user),
        "scanning": scanning(),
        "may_withdraw": _may_withdraw(evidence_row, links, request.user),
        "may_withdraw_accepted": withdraws_acceptances(
            evidence_row.system, by=request.user
        ),
        "submittable": _submittable(links, request.user),
        "withdraw_form": WithdrawForm(),
    }
    return render(request, "evidence/evidence/detail.html", context)


def _events(
    evidence_row: Evidence,
    revisions: list[EvidenceRevision],
    links: list[EvidenceLink],
    user: Actor,
) -> list[HistoryRow]:
    """What the audit log says of it, its revisions and links, newest first."""
    subjects = [evidence_row.uuid, *(revision.uuid for revision in revisions)]
    subjects += [link.uuid for link in links]
    events = AuditEvent.objects.visible_to(user).filter(subject_uuid__in=subjects)
    return event_rows(events.order_by("-at", "-seq")[:MAX_EVENTS])


def _submittable(links: list[EvidenceLink], user: Actor) -> set[int]:
    """Keys of the requirements that the person may prove again."""
    requirements = RequirementControl.objects.filter(
        links__in=[link.pk for link in links]
    )
    return set(requirements.submittable_by(user).values_list("pk", flat=True))


def _clearable(revisions: list[EvidenceRevision], user: Actor) -> set[int]:
    """Keys of the flagged files that the person may clear."""
    return {
        file.pk
        for revision in revisions
        for file in revision.files.all()
        if file.flags and not hasattr(file, "clearance") and may_clear(file, user)
    }


def _links() -> Prefetch[Any]:
    return Prefetch(
        "links",
        EvidenceLink.objects.for_listing().prefetch_related("reviews").order_by("pk"),
    )


def _turning(
    evidence_row: Evidence, links: list[EvidenceLink], today: dt.date
) -> list[tuple[dt.date, list[Turn]]]:
    """What turns after each of the next days on which links of this stop proving."""
    days: dict[dt.date, list[int]] = {}
    for link in links:
        ends = link.proves_to
        if link.state == LinkState.ACCEPTED and ends is not None and ends >= today:
            days.setdefault(ends, []).append(link.implementation_id)
    return [
        (day, if_lapsed(evidence_row.system, days[day], day))
        for day in sorted(days)[:SHOWN]
    ]


def _may_withdraw(
    evidence_row: Evidence, links: list[EvidenceLink], user: Actor
) -> bool:
    return bool(links) and may_revise(evidence_row, by=user)


def _link(request: SignedInRequest, uuid: Any) -> EvidenceLink:
    mine = EvidenceLink.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)


@require_POST
def submit_draft(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Hand a draft over for review; with `together`, for all controls it is for."""
    link = _link(request, uuid)
    try:
        if "together" in request.POST:
            submit.submit_drafts(link.revision, by=request.user)
        else:
            submit.submit_draft(link, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    title = link.revision.evidence.title
    done = f"“{title}” was submitted. Somebody else reviews it now."
    messages.success(request, done)
    return return_to_work(request) or redirect(
        "evidence:evidence", uuid=link.revision.evidence.uuid
    )


@require_POST
def reconfirm_link(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Say that accepted proof covers the duties of now as well."""
    link = _link(request, uuid)
    try:
        reconfirm(link, by=request.user, reason=typed_reason(request))
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"Confirmed: {link}.")
    control = link.implementation.control
    return return_to_work(request) or redirect(
        "evidence:control", link.system.slug, control.ref_id
    )


@require_http_methods(["GET", "POST"])
def withdraw_link(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What would turn; then take one link back, with a reason."""
    link = _link(request, uuid)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    try:
        require_withdrawer(link, by=request.user)
        if form.is_bound and form.is_valid():
            withdraw(link, by=request.user, reason=form.cleaned_data["reason"])
            messages.success(request, f"Withdrawn: {link}.")
            return redirect("evidence:evidence", uuid=link.revision.evidence.uuid)
        turns = if_withdrawn(link, by=request.user, today=today_of(link.system))
    except ValidationError as refusal:
        return refused(request, refusal)
    context = {"link": link, "form": form, "turns": turns}
    status = 400 if form.is_bound else 200
    return render(request, "evidence/evidence/withdraw.html", context, status=status)
