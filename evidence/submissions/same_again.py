"""Same again: the words of the last time as the beginning of the next."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.db.models import QuerySet

from evidence.models import Evidence, EvidenceLink, LinkState, RequirementControl
from evidence.status.cadence import last_day

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


def again_values(
    mine: QuerySet[Evidence],
    text: str,
    requirement: RequirementControl,
    first: dt.date,
) -> dict[str, Any]:
    """Form values taken from earlier evidence of the same system; empty for others.

    Title with the new period's name, source, procedure, sensitivity, and the other
    requirements that the earlier evidence proved.
    """
    try:
        key = uuid.UUID(text)
    except ValueError:
        return {}
    earlier = mine.filter(uuid=key, system=requirement.system_id).first()
    if earlier is None:
        return {}
    name = period_name(requirement.cadence, first)
    links = (
        EvidenceLink.objects.filter(
            revision__evidence=earlier, state=LinkState.ACCEPTED
        )
        .exclude(requirement=None)
        .exclude(requirement=requirement)
    )
    return {
        "title": f"{requirement.title}, {name}" if name else earlier.title,
        "source_system": earlier.source_system,
        "procedure": earlier.procedure,
        "sensitivity": earlier.sensitivity,
        "also": list(links.values_list("requirement", flat=True).distinct()),
    }
