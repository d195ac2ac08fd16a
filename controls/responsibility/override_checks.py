"""What an override that is asked for must say, and what stands against it (R9)."""

from __future__ import annotations

import datetime as dt

from controls.approvals import MAX_DAYS_TO_DECIDE
from controls.errors import Refused, TransitionNotAllowed
from controls.models import ControlImplementation, RetrospectiveChange, System
from controls.models.requests import ApprovalState
from controls.provider_names import AWS
from controls.responsibility.rulings import PARTIES

SOURCES_OF_AWS = ("service", "report")


def to_aws(current: frozenset[str], requested: frozenset[str]) -> bool:
    """Whether AWS would carry more than it does, or we less."""
    gains = "aws" in requested and "aws" not in current
    return gains or ("customer" in current and "customer" not in requested)


def refuse_unnamed_source(
    implementation: ControlImplementation, responsibility: str, needed_from: str
) -> None:
    """Raise Refused where AWS's half would be needed from nothing in particular."""
    requested = PARTIES.get(responsibility, frozenset())
    current = PARTIES.get(implementation.responsibility, frozenset())
    if not needed_from:
        if to_aws(current, requested):
            sentence = (
                "This moves a duty to AWS: name the service or the report that AWS's"
                " half is needed from."
            )
            raise Refused({"needed_from": sentence})
        return
    kind, _, name = needed_from.partition(":")
    if "aws" not in requested or kind not in SOURCES_OF_AWS or not name:
        raise Refused({"needed_from": "Name a service in use, or a report of AWS."})
    in_use = implementation.system.components.filter(variant__service__slug=name)
    if kind == "service" and not in_use.filter(variant__service__provider=AWS).exists():
        raise Refused({"needed_from": "The system does not use this service of AWS."})


def refuse_second_request(
    implementation: ControlImplementation, today: dt.date
) -> None:
    """Raise TransitionNotAllowed while another class of the control waits.

    Two that wait would overrule each other by the order in which they are approved.
    One that nobody decided in time waits no more (R31). Locks system and control.
    """
    System.objects.select_for_update(of=("self",)).get(pk=implementation.system_id)
    rows = ControlImplementation.objects.select_for_update(of=("self",))
    control = rows.select_related("control").get(pk=implementation.pk)
    since = today - dt.timedelta(days=MAX_DAYS_TO_DECIDE)
    changes = RetrospectiveChange.objects.waiting().filter(
        system=control.system_id,
        kind="override",
        body__control=control.control.ref_id,
    )
    requests = control.overrides.filter(state=ApprovalState.REQUESTED)
    for waiting in (requests, changes):
        first = waiting.filter(requested_on__gte=since).order_by("pk").first()
        if first is not None:
            raise TransitionNotAllowed(
                f"{first.requested_by} has already asked for another class of this"
                " control. That is decided first."
            )
