"""What needs attention in one system, each line with where its link leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from controls.models import Actor, System
from evidence.people.missing import missing_people
from evidence.planning.attention import (
    NeedsAttention,
    of_places,
    of_reports,
    of_requests,
)

OF_SYSTEM = {
    "people": "evidence:people",
    "regions": "evidence:regions",
    "rereading": "evidence:rereading",
    "findings": "evidence:findings",
}


def attention_of(
    user: Actor,
    system: System,
    of_controls: Sequence[NeedsAttention],
    page: Mapping[str, Any],
    now: dt.datetime,
) -> list[tuple[NeedsAttention, str]]:
    """For an officer: the lines with their addresses. Constant in statements.

    `of_controls` is what today's answers say; `page` has the numbers that the page
    shows anyway.
    """
    rows = [
        *_of_people(system, now),
        *of_controls,
        *of_places(page["without_region"], page["newer_readings"]),
        *of_requests(page["requests"]["unsettled"], page["requests"]["overdue"]),
        *of_reports(user, system),
    ]
    return [(row, _way(row, system)) for row in rows]


def _of_people(system: System, now: dt.datetime) -> list[NeedsAttention]:
    """Who is missing in a system. A constant number of statements."""
    return [
        NeedsAttention("!", f"{row.title}.", row.sentence, "people", urgent=True)
        for row in missing_people([system], now)[system.pk]
    ]


def _way(row: NeedsAttention, system: System) -> str:
    if row.place in OF_SYSTEM:
        return reverse(OF_SYSTEM[row.place], args=[system.slug])
    if row.place == "artifacts":
        return reverse("evidence:artifacts")
    if row.place == "reports to read":
        return reverse("evidence:work")
    if row.place == "requests":
        requests = reverse("evidence:requests")
        return f"{requests}?system={system.slug}&state=unsettled"
    controls = reverse("evidence:controls", args=[system.slug])
    if row.place == "not stated":
        return f"{controls}?status=not-stated"
    return f"{controls}{row.controls[0]['ref_id']}/"
