"""What a contributor says about files, and which days and people it may name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from controls.errors import Refused
from controls.models import Membership, System

MAX_PERIOD_AHEAD = dt.timedelta(days=366)  # from today to the end of a running period
MAX_ADDRESSES = 10
DAY_NAMES = {
    "performed_on": "Performed on",
    "period_start": "The first day of the period",
    "collected_on": "Collected on",
}
UNKNOWN_COLLECTOR = "Nobody of that name or address has a role in this system."
WEB_ADDRESS = URLValidator(schemes=["https", "http"])


@dataclass(frozen=True)
class Submission:
    """What a contributor says about the files. Days are inclusive.

    `completeness` is what shows that nothing is left out of what was drawn from a
    system; its source and the query or steps are then named, too (R12).
    `collected_by` is the person who took them out of their source, None for a program
    or the uploader; `draft` keeps them from review until they are handed over.
    """

    title: str
    performed_on: dt.date
    period_start: dt.date
    period_end: dt.date
    collected_on: dt.date
    source_system: str = ""
    procedure: str = ""
    completeness: str = ""
    sensitivity: str = "internal"
    collected_by: Any = None
    draft: bool = False
    addresses: tuple[str, ...] = ()


def addresses_of(lines: Iterable[str]) -> tuple[str, ...]:
    """Web addresses without repetition, one of each line that is not empty.

    Raises Refused for more than MAX_ADDRESSES, and naming the first that is none.
    """
    stripped = (line.strip() for line in lines)
    addresses = tuple(dict.fromkeys(line for line in stripped if line))
    if len(addresses) > MAX_ADDRESSES:
        raise Refused({"addresses": f"Give at most {MAX_ADDRESSES} addresses."})
    for address in addresses:
        try:
            WEB_ADDRESS(address)
        except ValidationError:
            sentence = (
                f"“{address[:80]}” is not an address such as https://example.org."
            )
            raise Refused({"addresses": sentence}) from None
    return addresses


def refuse_source_unnamed(submission: Submission) -> None:
    """Raise Refused, by field, for what is said to be complete of no source (R12)."""
    if not submission.completeness.strip():
        return
    faults = {}
    if not submission.source_system.strip():
        faults["source_system"] = "Name the system that it was drawn from."
    if not submission.procedure.strip():
        faults["procedure"] = "Say the query or the steps that drew it."
    if faults:
        raise Refused(faults)


def require_collector_in_system(submission: Submission, system: System) -> None:
    """Raise Refused for a collector who holds no role in the system.

    In the same words whether there is an account at all, so that nobody learns who has
    one or what other systems hold.
    """
    person = submission.collected_by
    if person is None:
        return
    roles = Membership.objects.active().filter(system=system)
    if not roles.filter(user=person.pk).exists():
        raise Refused({"collected_by": UNKNOWN_COLLECTOR})


def refuse_impossible_days(submission: Submission, today: dt.date) -> None:
    """Raise Refused, by field, for days that contradict each other or the clock."""
    impossible = impossible_days(
        today,
        performed_on=submission.performed_on,
        period_start=submission.period_start,
        period_end=submission.period_end,
        collected_on=submission.collected_on,
    )
    if impossible:
        raise Refused(impossible)


def impossible_days(
    today: dt.date,
    *,
    performed_on: dt.date | None = None,
    period_start: dt.date | None = None,
    period_end: dt.date | None = None,
    collected_on: dt.date | None = None,
) -> dict[str, str]:
    """What is wrong with days, by field, one sentence each; None is a day not given.

    A day that is wrong by itself is not compared with the others.
    """
    named = {
        "performed_on": performed_on,
        "period_start": period_start,
        "collected_on": collected_on,
    }
    wrong = {
        name: f"{DAY_NAMES[name]} must not lie in the future."
        for name, day in named.items()
        if day is not None and day > today
    }
    if period_end and period_end > today + MAX_PERIOD_AHEAD:
        # the running period may end after today, but none reaches as far as this
        wrong["period_end"] = "The period must not end more than a year from now."
    if period_start and period_end and period_end < period_start:
        wrong["period_end"] = "The last day of the period comes before its first day."
    if performed_on is None or "performed_on" in wrong:
        return wrong
    if collected_on and "collected_on" not in wrong and collected_on < performed_on:
        wrong["collected_on"] = "It cannot be collected before it was performed."
    if period_start and "period_start" not in wrong and performed_on < period_start:
        wrong["performed_on"] = "It was performed before the period it is about began."
    return wrong
