"""What every decision of a second person refuses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from controls.access import require_second_officer
from controls.errors import Refused, StaleVersion, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, System
from controls.models.requests import ApprovalState

MAX_UNTIL_REVIEW = dt.timedelta(days=3 * 366)  # from the first day to the last
MAX_DAYS_TO_DECIDE = 30  # days after the request; on a later one it lapses (R31)


def last_day_to_decide(requested_on: dt.date) -> dt.date:
    """The last day on which a request may be decided, inclusive."""
    return requested_on + dt.timedelta(days=MAX_DAYS_TO_DECIDE)


def refuse_endless(field: str, first: dt.date, last: dt.date) -> None:
    """Raise Refused for a last day that lies so far off that nobody looks again."""
    latest = first + MAX_UNTIL_REVIEW
    if last > latest:
        raise Refused(
            {
                field: f"Name a day by {latest}: at most three years after the first,"
                " somebody looks at it again."
            }
        )


def known_today(system: System) -> dt.date:
    """The system's day at the database's clock of knowledge."""
    return system.day_of(knowledge_now())


def refuse_decided(
    stored: Any, version: int | None, *, by: Actor, today: dt.date | None = None
) -> None:
    """What stands against `by` deciding a locked request that needs a second officer.

    `today` is the system's day; None: at the clock of knowledge. Raises NotPermitted,
    TransitionNotAllowed (naming who was first, or that it lapsed), StaleVersion.
    """
    require_second_officer(stored, stored.implementation.system, by)
    refuse_not_waiting(stored, version, today=today)


def refuse_not_waiting(
    stored: Any, version: int | None, *, today: dt.date | None = None
) -> None:
    """What stands against anybody deciding a locked request, or taking it back.

    `today` is the system's day; None: at the clock of knowledge. Raises
    TransitionNotAllowed (naming who was first, or that it lapsed), StaleVersion.
    """
    requested_on = stored.requested_on
    late = requested_on and (
        today or known_today(stored.implementation.system)
    ) > last_day_to_decide(requested_on)
    waits = stored.state == ApprovalState.REQUESTED
    if stored.state == ApprovalState.LAPSED or (waits and late):
        raise TransitionNotAllowed(
            "This request lapsed: it was to be decided by"
            f" {last_day_to_decide(requested_on)}. Ask for it again."
        )
    if stored.state == ApprovalState.WITHDRAWN:
        raise TransitionNotAllowed(f"{stored.requested_by} took this request back.")
    if stored.state != ApprovalState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")
    refuse_stale(stored, version)


def refuse_stale(stored: Any, version: int | None) -> None:
    """Raise StaleVersion when the locked row is not the version that was seen."""
    if version is not None and version != stored.version:
        raise StaleVersion("This changed since you opened it. Look again.")
