"""Leaving a control out on days before today, or ending that as of one (R10, R31)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.applicability import (
    close_earlier,
    locked_control,
    request_not_applicable,
    unsaved_request,
)
from controls.display_names import layer_name
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    ApplicabilityDecision,
    ControlImplementation,
    RetrospectiveChange,
)
from controls.models.requests import ExclusionState
from controls.responsibility.decide import rest_exclusions
from controls.responsibility.exclusions import DECIDED
from controls.retrospect import applies, request_change

DAY = dt.timedelta(days=1)


def ask_not_applicable(
    implementation: ControlImplementation,
    *,
    justification: str,
    review_by: dt.date,
    by: Actor,
    today: dt.date,
    starts_on: dt.date | None = None,
    absent_layers: Sequence[str] | None = None,
) -> ApplicabilityDecision | RetrospectiveChange:
    """What a person asks: a request, or with a first day before today a change in
    retrospect. The rest is as for `request_not_applicable`."""
    ask = request_not_applicable
    if starts_on and starts_on < today:
        ask = _request_back  # type: ignore[assignment]
    return ask(
        implementation,
        justification=justification,
        review_by=review_by,
        by=by,
        today=today,
        starts_on=starts_on,
        absent_layers=absent_layers,
    )


@transaction.atomic
def _request_back(
    implementation: ControlImplementation,
    *,
    justification: str,
    review_by: dt.date,
    by: Actor,
    starts_on: dt.date,
    absent_layers: Sequence[str] | None,
    today: dt.date,
) -> RetrospectiveChange:
    stored = locked_control(implementation)
    require_officer(stored.system, by)
    request = unsaved_request(
        stored, justification, review_by, starts_on, absent_layers, by=by, today=today
    )
    body = {
        "control": stored.control.ref_id,
        "justification": request.justification,
        "starts_on": str(starts_on),
        "review_by": str(review_by),
        "absent_layers": request.absent_layers,
    }
    return request_change(
        stored.system,
        kind="applicability",
        body=body,
        first_day=starts_on,
        reason=request.justification,
        by=by,
        today=today,
    )


def request_end_back(
    exclusion: ApplicabilityDecision,
    *,
    ends_from: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
) -> RetrospectiveChange:
    """Ask that an exclusion held no more from a day before today.

    Raises NotPermitted, Refused, and TransitionNotAllowed for what is not decided.
    """
    if exclusion.state not in DECIDED:
        raise TransitionNotAllowed("Only what is approved can be ended.")
    if exclusion.starts_on and ends_from < exclusion.starts_on:
        raise Refused({"ends_from": f"It holds from {exclusion.starts_on} on."})
    body = {
        "control": exclusion.implementation.control.ref_id,
        "exclusion": str(exclusion.uuid),
        "ends_from": str(ends_from),
    }
    return request_change(
        exclusion.implementation.system,
        kind="applicability",
        body=body,
        first_day=ends_from,
        reason=reason,
        by=by,
        today=today,
    )


def _words(change: RetrospectiveChange) -> list[tuple[str, str]]:
    """What a change of days says, in plain words."""
    body = change.body
    control = change.system.implementations.get(control__ref_id=body["control"])
    if "ends_from" in body:
        last = dt.date.fromisoformat(body["ends_from"]) - DAY
        return [
            ("Control", control.control.label),
            ("What is to hold", f"Not applicable to {last} only"),
        ]
    layers = ", ".join(layer_name(layer) for layer in body["absent_layers"])
    return [
        ("Control", control.control.label),
        ("What is to hold", f"Not applicable from {body['starts_on']} on"),
        ("Why", body["justification"]),
        ("Rests on the absence of", layers or "no layer: on its class alone"),
        ("Look again by", body["review_by"]),
    ]


@applies("applicability", name="Not applicable", explain=_words)
def change_applicability(
    change: RetrospectiveChange, *, by: Actor, today: dt.date
) -> None:
    """Leave a control out from an earlier day on, or end that as of an earlier day."""
    body, system = change.body, change.system
    stored = locked_control(system.implementations.get(control__ref_id=body["control"]))
    if "ends_from" in body:
        _end_back(stored, change)
    else:
        request = unsaved_request(
            stored,
            body["justification"],
            dt.date.fromisoformat(body["review_by"]),
            dt.date.fromisoformat(body["starts_on"]),
            body["absent_layers"],
            by=change.requested_by,
            today=change.requested_on,
        )
        request.change, request.decided_by = change, by
        request.state = ExclusionState.APPROVED
        close_earlier(request)
        request.save(force_insert=True)
    rest_exclusions(system, today)


def _end_back(stored: ControlImplementation, change: RetrospectiveChange) -> None:
    """End an exclusion as of a day before today."""
    ends_from = dt.date.fromisoformat(change.body["ends_from"])
    exclusion = stored.applicability_decisions.get(uuid=change.body["exclusion"])
    if exclusion.state not in DECIDED or exclusion.last_day < ends_from:
        raise TransitionNotAllowed("It holds on none of these days any more.")
    exclusion.ended_on, exclusion.change = ends_from, change
    exclusion.state = ExclusionState.ENDED
    exclusion.version = F("version") + 1
    exclusion.save(update_fields=["ended_on", "change", "state", "version"])
