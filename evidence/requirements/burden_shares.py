"""Who carries the controls of a system, what our part costs a year, and since when.

Counted by family and by team on a day, and over the past month ends, all as recorded
now. A statement each, however many controls there are. Source: rules R9 and R11.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.models import System
from evidence.charts import CLASSES, Segment, bar
from evidence.models import RequirementControl
from evidence.requirements.burden import Burden, burden_of, how_often, of_our_halves
from evidence.status.gather import Moment
from evidence.status.rows import read_rows

NOBODY = "Nobody"
LEFT_OUT = "not-applicable"
# What the class of a control rests on, by the source of its decision.
WHY = {
    "derived": "the services in use (our template)",
    "provider-document": "a provider's own document",
    "override": "an override that two officers agreed on",
    "override-expired": "an override that has expired: both sides until it is settled",
    "": "nothing: nobody has decided it",
}
PAST = """
SELECT days.day, i.id AS implementation, d.responsibility,
       coalesce(t.joined_id, t.ask_id) AS ask,
       CASE WHEN t.cadence = 'per-event' THEN t.population_cadence
            ELSE t.cadence END AS cadence, {binding_user_control} AS expected
  FROM unnest(%(days)s::date[]) AS days(day)
  JOIN controls_controlimplementation i ON i.system_id = %(system)s
  JOIN LATERAL (
    SELECT d.responsibility FROM controls_responsibilitydecision d
     WHERE d.implementation_id = i.id AND d.effective @> days.day
     ORDER BY d.known_from DESC, d.id DESC LIMIT 1) d ON TRUE
  LEFT JOIN evidence_evidencerequirement r
    ON r.implementation_id = i.id AND r.operates_from <= days.day
   AND (r.operates_until IS NULL OR r.operates_until > days.day)
  LEFT JOIN evidence_requirementterms t
    ON t.ask_id = r.ask_id AND t.days @> days.day
 ORDER BY days.day, i.id, r.id
"""


@dataclass(frozen=True)
class Share:
    """Controls of a family or a team by class, and what is asked of us for them."""

    name: str
    classes: Mapping[str, int]
    left_out: int
    burden: Burden

    @property
    def total(self) -> int:
        """All controls, those that are left out among them."""
        return sum(self.classes.values()) + self.left_out

    def of(self, *classes: str) -> int:
        """Controls of these classes."""
        return sum(self.classes.get(name, 0) for name in classes)

    @property
    def providers(self) -> int:
        """Those that providers carry."""
        return self.of("inherited")

    @property
    def shared(self) -> int:
        """Those of which each side has its part."""
        return self.of("shared")

    @property
    def ours(self) -> int:
        """Those left to us, what nobody has read among them."""
        return self.of("customer", "unclassified")

    @property
    def nobodys(self) -> int:
        """Those of which no layer exists here."""
        return self.of("none")

    @property
    def segments(self) -> list[Segment]:
        """The classes as parts of a bar."""
        parts = [Segment(c, title, self.of(c), note) for c, title, note in CLASSES]
        return bar(parts)


@dataclass(frozen=True)
class BurdenShares:
    """All of a system on a day: as a whole, by family, by team, and why, as pairs of
    sentence and number of controls, most first."""

    whole: Share
    families: Sequence[Share]
    teams: Sequence[Share]
    why: Sequence[tuple[str, int]]


def shares(
    system: System, rows: Sequence[Mapping[str, Any]], day: dt.date
) -> BurdenShares:
    """Of rows of `listed` of the day. One statement."""
    of_ours = of_our_halves(system, day).select_related(
        "implementation__control", "implementation__owner_team", "owner_team"
    )
    asks = list(of_ours.order_by("pk"))
    by_family: defaultdict[str, list[RequirementControl]] = defaultdict(list)
    by_team: defaultdict[str, list[RequirementControl]] = defaultdict(list)
    for ask in asks:
        by_family[ask.implementation.control.family].append(ask)
        team = ask.owner_team or ask.implementation.owner_team
        by_team[team.name if team else NOBODY].append(ask)
    why = Counter(WHY.get(row["source"] or "", WHY[""]) for row in rows)
    families = dict.fromkeys(row["family"] for row in rows)
    of_family = _grouped(rows, lambda row: row["family"])
    of_team = _grouped(rows, lambda row: row["owner"] or NOBODY)
    teams = sorted({*of_team, *by_team})
    return BurdenShares(
        _share("", rows, asks),
        [_share(n.upper(), of_family[n], by_family[n]) for n in families],
        [_share(n, of_team[n], by_team[n]) for n in teams],
        why.most_common(),
    )


def _grouped(
    rows: Sequence[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], str]
) -> defaultdict[str, list[Mapping[str, Any]]]:
    groups: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _share(
    name: str,
    rows: Iterable[Mapping[str, Any]],
    asks: Iterable[RequirementControl],
) -> Share:
    classes: Counter[str] = Counter()
    left_out = 0
    for row in rows:
        if row["applicability"] == LEFT_OUT:
            left_out += 1
        else:
            classes[row["responsibility"] or "unclassified"] += 1
    keys = (
        (row.joined_id or row.ask_id, row.implementation_id, how_often(row))
        for row in asks
    )
    return Share(name, classes, left_out, burden_of(keys))


@dataclass(frozen=True)
class PastShare:
    """Classes and work of a year as they were on a day."""

    day: dt.date
    share: Share


def past_shares(system: System, days: Sequence[dt.date]) -> list[PastShare]:
    """The same on past days, those of which nothing is decided left out; controls count
    by their class, whether they were left out or not. One statement."""
    rows = read_rows(PAST, Moment(days[-1]), days=list(days), system=system.pk)
    by_day: defaultdict[dt.date, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_day[row["day"]].append(row)
    return [PastShare(day, _past(of)) for day, of in sorted(by_day.items())]


def _past(rows: Sequence[Mapping[str, Any]]) -> Share:
    classes = {row["implementation"]: row["responsibility"] for row in rows}
    asks = [
        (row["ask"], row["implementation"], row["cadence"])
        for row in rows
        if row["ask"]
        and (row["responsibility"] in ("shared", "customer") or row["expected"])
    ]
    return Share("", Counter(classes.values()), 0, burden_of(asks))
