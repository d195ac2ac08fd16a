"""Which asks the shipped list would make one, and what that takes off a year.

The list (`joined_asks.csv` and `joined_asks_controls.csv` in `evidence/reference/`) is
made by hand, control by control: each with the line that says what in a performance
proves it. Nothing is joined because it is of one family. Source: rules R11 and R18.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from controls.models import Actor, System, Team
from evidence.models import EvidenceRequirement, RequirementControl, RequirementTerms
from evidence.models.asks import Cadence
from evidence.models.requirements import RequirementOrigin
from evidence.requirements.baseline_frequency import stated_for
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joined import team_of
from evidence.requirements.joining import join
from evidence.requirements.odp_frequency import StatedFrequency, less_frequent
from evidence.requirements.terms import terms_from
from evidence.status.cadence import default_grace

REFERENCE = Path(__file__).parents[1] / "reference"


@dataclass(frozen=True)
class ShippedJoin:
    """One ask of the shipped list; `lines` are what proves a control, by its id."""

    slug: str
    title: str
    cadence: str
    guidance: str
    good_proof: str
    lines: Mapping[str, str]


@dataclass(frozen=True)
class Offer:
    """Rows that one ask could name, each with its line, in catalog order.

    They are of one team and show the same: design or operation.
    """

    shipped: ShippedJoin
    purpose: str
    team: Team | None
    rows: Sequence[tuple[RequirementControl, str]]

    @property
    def key(self) -> str:
        """What names it in an address: unique among the offers of a system."""
        parts = (self.shipped.slug, self.purpose, self.team.slug if self.team else "")
        return ".".join(parts)

    @property
    def terms(self) -> AskTerms:
        """What the ask would say."""
        return AskTerms(
            title=self.shipped.title,
            cadence=self.shipped.cadence,
            purpose=self.purpose,
            guidance=self.shipped.guidance,
            good_proof=self.shipped.good_proof,
            owner_team=self.team,
        )

    @property
    def named(self) -> list[NamedControl]:
        """Its rows as `joining.join` takes them."""
        return [NamedControl(row.uuid, line, row.version) for row, line in self.rows]

    @property
    def cadence_name(self) -> str:
        """How often, in words."""
        return str(Cadence(self.shipped.cadence).label)


@cache
def shipped_joins() -> tuple[ShippedJoin, ...]:
    """The shipped list in its order."""
    lines: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in _rows_of("joined_asks_controls.csv"):
        lines[row["join"]][row["control"]] = row["what_it_shows"]
    return tuple(
        ShippedJoin(
            row["join"],
            row["title"],
            row["cadence"],
            row["guidance"],
            row["good_proof"],
            lines[row["join"]],
        )
        for row in _rows_of("joined_asks.csv")
    )


def _rows_of(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def standing_alone(system: System, day: dt.date) -> list[RequirementControl]:
    """Rows asked on a day and after that stand under no ask with others from then on,
    in catalog order; not what is asked per event. One statement."""
    joined = RequirementTerms.objects.filter(ask=OuterRef("ask"), joined__isnull=False)
    joined = joined.filter(Q(days__upper_inf=True) | Q(days__endswith__gt=day))
    return list(
        RequirementControl.objects.filter(system=system)
        .filter(Q(operates_until=None) | Q(operates_until__gt=day))
        .filter(~Exists(joined))
        .exclude(cadence=Cadence.PER_EVENT)
        .for_listing()
        .order_by("implementation__control__sort_order", "pk")
    )


def offers_in(system: System, day: dt.date) -> list[Offer]:
    """What the shipped list would join in a system from a day on. Rows for which other
    terms are stated later stay alone: a join would replace those."""
    alone = standing_alone(system, day)
    terms_by_ask = terms_from({row.ask_id for row in alone}, day)
    rows = [row for row in alone if len(terms_by_ask[row.ask_id]) == 1]
    return offers_among(rows, stated_for(system))


def offers_among(
    rows: Iterable[RequirementControl], stated: Mapping[int, StatedFrequency]
) -> list[Offer]:
    """What the shipped list would join of these rows, two controls at least.

    `stated` are the cadences that the baseline's own parameters state (R18). A row that
    is asked more often than the list's ask stays alone, unless the baseline itself asks
    for no more; so does a second row of one control.
    """
    of_templates: dict[str, RequirementControl] = {}
    for row in rows:
        if row.origin != RequirementOrigin.LOCAL:
            of_templates.setdefault(row.implementation.control.ref_id, row)
    offers = []
    for shipped in shipped_joins():
        groups: defaultdict[tuple[str, Team | None], list[RequirementControl]]
        groups = defaultdict(list)
        for ref_id in shipped.lines:
            candidate = of_templates.get(ref_id)
            if candidate and _fits(candidate, shipped.cadence, stated):
                groups[candidate.purpose, team_of(candidate)].append(candidate)
        offers += [
            Offer(shipped, purpose, team, _with_lines(shipped, group))
            for (purpose, team), group in groups.items()
            if len(group) > 1
        ]
    return offers


def _with_lines(
    shipped: ShippedJoin, rows: Iterable[RequirementControl]
) -> list[tuple[RequirementControl, str]]:
    ordered = sorted(rows, key=lambda row: row.implementation.control.sort_order)
    return [(row, shipped.lines[row.implementation.control.ref_id]) for row in ordered]


def _fits(
    row: RequirementControl, cadence: str, stated: Mapping[int, StatedFrequency]
) -> bool:
    own = stated.get(row.implementation.control_id)
    if own is not None:
        return not less_frequent(cadence, own.cadence)
    return not less_frequent(cadence, row.cadence)


@transaction.atomic
def join_all(
    system: System,
    offers: Iterable[Offer],
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
) -> int:
    """Carry out offers from a day on, not before `today`; returns how many asks they
    became. All or none. Raises what `join` raises."""
    joined = 0
    for offer in offers:
        join(system, offer.terms, offer.named, from_day=from_day, by=by, today=today)
        joined += 1
    return joined


def join_before_saving(system: System, offers: Sequence[Offer]) -> None:
    """Let the rows of offers, which are about to be added, stand under joined asks from
    the beginning. One statement."""
    asks = EvidenceRequirement.objects.bulk_create(
        [EvidenceRequirement(system=system) for _ in offers]
    )
    for offer, ask in zip(offers, asks, strict=True):
        shipped = offer.shipped
        for row, line in offer.rows:
            row.joined, row.what_it_shows = ask, line
            row.title, row.guidance = shipped.title, shipped.guidance
            row.good_proof, row.cadence = shipped.good_proof, shipped.cadence
            row.grace_days = default_grace(shipped.cadence)
            row.owner_team = offer.team
