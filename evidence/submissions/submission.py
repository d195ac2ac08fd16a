"""What a contributor says about files, and which days and people it may name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from controls.errors import Refused
from controls.models import System

MAX_PERIOD_AHEAD = dt.timedelta(days=366)  # from today to the end of a running period
MAX_ADDRESSES = 10
WEB_ADDRESS = URLValidator(schemes=["https", "http"])


@dataclass(frozen=True)
class Submission:
    """What a contributor says about the files. Days are inclusive.

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
        raise Refused({"addresses": f"At most {MAX_ADDRESSES} addresses."})
    for address in addresses:
        try:
            WEB_ADDRESS(address)
        except ValidationError:
            sentence = (
                f"“{address[:80]}” is not an address such as https://example.org."
            )
            raise Refused({"addresses": sentence}) from None
    return addresses


def require_collector_in_system(submission: Submission, system: System) -> None:
    """Raise Refused for a collector who holds no role in the system."""
    person = submission.collected_by
    if person is None:
        return
    if not person.memberships.active().filter(system=system).exists():
        raise Refused({"collected_by": f"{person} has no role in {system}."})


def refuse_impossible_days(submission: Submission, today: dt.date) -> None:
    """Raise Refused, by field, for days that contradict each other or the clock."""
    if submission.period_end < submission.period_start:
        raise Refused({"period_end": "The period ends before it starts."})
    if submission.period_end > today + MAX_PERIOD_AHEAD:
        # the running period may end after today, but none reaches as far as this
        raise Refused({"period_end": "The period ends more than a year from now."})
    for name in ("performed_on", "collected_on", "period_start"):
        if getattr(submission, name) > today:
            raise Refused({name: "That day has not come yet."})
    if submission.collected_on < submission.performed_on:
        raise Refused(
            {"collected_on": "Evidence cannot be collected before it was performed."}
        )
    if submission.performed_on < submission.period_start:
        raise Refused(
            {"performed_on": "It was performed before the period it is about began."}
        )
