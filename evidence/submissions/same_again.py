"""Same again: the words of the last time as the beginning of the next."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import QuerySet

from evidence.models import Evidence, EvidenceLink, LinkState, RequirementControl
from evidence.status.cadence import last_day, occurrence_of

MAX_TITLE = 200  # characters
QUARTERS = {1: "Q1", 4: "Q2", 7: "Q3", 10: "Q4"}


def period_name(cadence: str, first: dt.date) -> str:
    """How people call a calendar period: `October 2026`, `Q4 2026`; empty for none."""
    if cadence == "monthly":
        return f"{first:%B %Y}"
    if cadence == "quarterly":
        return f"{QUARTERS[first.month]} {first.year}"
    if cadence == "half-yearly":
        return f"{'first' if first.month == 1 else 'second'} half of {first.year}"
    if cadence == "weekly":
        return f"{first} to {last_day(cadence, first)}"
    return ""


def period_named(cadence: str, first: dt.date, last: dt.date) -> str:
    """The name of a calendar period, given by its days; empty where they are none."""
    name = period_name(cadence, first) if occurrence_of(cadence, first) == first else ""
    return name if name and last_day(cadence, first) == last else ""


def title_of(what: str, period: str) -> str:
    """What evidence is called where nobody says otherwise: `Patch report, Q3 2026`.

    Within the length that a title may have.
    """
    return f"{what[: MAX_TITLE - len(period) - 2]}, {period}"


def again_values(
    mine: QuerySet[Evidence],
    text: str,
    requirement: RequirementControl,
) -> dict[str, Any]:
    """Form values taken from earlier evidence of the same system; empty for others.

    Source, procedure, sensitivity, and the other requirements that the earlier evidence
    proved. Its title is made anew, for the period that is open now.
    """
    try:
        key = uuid.UUID(text)
    except ValueError:
        return {}
    earlier = mine.filter(uuid=key, system=requirement.system_id).first()
    if earlier is None:
        return {}
    links = (
        EvidenceLink.objects.filter(
            revision__evidence=earlier, state=LinkState.ACCEPTED
        )
        .exclude(requirement=None)
        .exclude(requirement=requirement)
    )
    return {
        "source_system": earlier.source_system,
        "procedure": earlier.procedure,
        "completeness": earlier.completeness,
        "sensitivity": earlier.sensitivity,
        "also": list(links.values_list("requirement", flat=True).distinct()),
    }
