"""A list of requests seen before it is asked: sealed, then confirmed within the hour.

All rows of a preview are asked, or none; confirmed again, they are the same requests.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError

from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor, AuditEvent, Engagement
from controls.models.audit import Event, about
from controls.sealed_previews import seal, unseal
from evidence.models import EvidenceRequest
from evidence.models.requests import EvidenceRequestState
from evidence.requests.list_plan import ListPlan, contributing_teams
from evidence.requests.who_may import require_lister

SALT = "evidence.request_list"
MAX_TOKEN = 2_000_000  # characters, which a form still carries
AGAIN = "Send the list again."
CHANGED = "{what} since you saw the preview, so nothing was asked. Send the list again."


def sealed_list(engagement: Engagement, plan: ListPlan, *, by: Actor) -> str:
    """The rows that are understood, as a signed text that its author may confirm.

    Raises NotPermitted, and Refused where there is nothing to ask or too much text.
    """
    require_lister(engagement, by)
    if not plan.requests:
        raise Refused("There is nothing to ask.")
    rows = [
        {
            "number": row.number,
            "title": row.title,
            "what": row.what,
            "controls": [control.pk for control in row.controls],
            "team": row.team.pk,
            "due_on": str(row.due_on),
        }
        for row in plan.requests
    ]
    # two previews within one second are two
    body = {"preview": secrets.token_hex(8), "rows": rows}
    token = seal(SALT, engagement.pk, body, by=by)
    if len(token) > MAX_TOKEN:
        raise Refused("The list holds more text than fits: send it in parts.")
    return token


def confirm_list(
    engagement: Engagement, token: str, *, by: Actor
) -> list[EvidenceRequest]:
    """Ask everything of a preview, or nothing; confirmed again, the same requests.

    Raises NotPermitted for who does not audit in the engagement now, and
    TransitionNotAllowed when it has ended, the preview is too old or another person's,
    or what it names has changed since.
    """
    verb = f"confirm list of requests for engagement {engagement.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        stored = _locked(engagement, by)
        if key.answered:
            made = EvidenceRequest.objects.filter(pk__in=json.loads(key.body))
            return list(made.order_by("pk"))
        rows = unseal(SALT, token, stored.pk, by=by, again=AGAIN)["rows"]
        requests, events = _requests_with_events(stored, rows, by)
        key.answer_with(201, body=json.dumps([request.pk for request in requests]))
        AuditEvent.objects.append_all(events)
    return requests


def _locked(engagement: Engagement, by: Actor) -> Engagement:
    """The engagement under a lock: it neither ends nor gets a second list meanwhile."""
    rows = Engagement.objects.select_for_update(of=("self",)).select_related("system")
    stored: Engagement = rows.get(pk=engagement.pk)
    if stored.ended_at is not None:
        raise TransitionNotAllowed("This engagement has ended: nothing is asked in it.")
    require_lister(stored, by)
    return stored


def _requests_with_events(
    engagement: Engagement, rows: Sequence[dict[str, Any]], by: Actor
) -> tuple[list[EvidenceRequest], list[Event]]:
    """The requests with their events, which are to be written last."""
    system, instant = engagement.system, knowledge_now()
    _refuse_changed(engagement, rows, system.day_of(instant))
    keys = {key for row in rows for key in row["controls"]}
    controls = system.implementations.select_related("control").in_bulk(keys)
    teams = {team.pk: team for team in contributing_teams(system)}
    if len(controls) < len(keys) or {row["team"] for row in rows} - set(teams):
        raise TransitionNotAllowed(CHANGED.format(what="Controls or teams changed"))
    requests = [
        EvidenceRequest(
            system=system,
            asked_by=by,
            engagement=engagement,
            team=teams[row["team"]],
            number=row["number"],
            title=row["title"],
            what=row["what"],
            due_on=dt.date.fromisoformat(row["due_on"]),
            asked_at=instant,
        )
        for row in rows
    ]
    _refuse_impossible(requests)
    EvidenceRequest.objects.bulk_create(requests)
    through = EvidenceRequest.controls.through
    through.objects.bulk_create(
        through(evidencerequest_id=request.pk, controlimplementation_id=key)
        for request, row in zip(requests, rows, strict=True)
        for key in row["controls"]
    )
    events = [
        about(
            request,
            "request.asked",
            by=by,
            controls=[controls[key].control.ref_id for key in row["controls"]],
            team=request.team.slug,
            due_on=row["due_on"],
            number=request.number,
        )
        for request, row in zip(requests, rows, strict=True)
    ]
    return requests, events


def _refuse_changed(
    engagement: Engagement, rows: Sequence[dict[str, Any]], today: dt.date
) -> None:
    """Raise TransitionNotAllowed for numbers that are asked, and days that passed."""
    numbers = [row["number"] for row in rows]
    there = engagement.requests.filter(number__in=numbers)
    there = there.exclude(state=EvidenceRequestState.CANCELLED)
    taken_numbers = sorted(there.values_list("number", flat=True))
    if taken_numbers:
        numbers_named = ", ".join(taken_numbers[:20])
        what = f"Asked by somebody else under the same number: {numbers_named}"
        raise TransitionNotAllowed(CHANGED.format(what=what))
    if any(row["due_on"] < str(today) for row in rows):
        raise TransitionNotAllowed(CHANGED.format(what="A day to answer by has passed"))


def _refuse_impossible(requests: Sequence[EvidenceRequest]) -> None:
    for request in requests:
        try:
            request.clean_fields(exclude=["known_from", "asked_by", "person"])
        except ValidationError as refusal:
            raise Refused(f"{request.number}: {' '.join(refusal.messages)}") from None
