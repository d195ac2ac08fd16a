"""Verdicts of many systems in a constant number of statements, for lists of systems."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controls.models import ControlImplementation, System
from controls.models.systems import systems_by_day
from evidence.charts import CLASSES, Segment, bar, proof_segments
from evidence.status.control_status import shares_of
from evidence.status.day import statuses
from evidence.status.gather import Moment, gather_many
from evidence.status.kept_counts import kept_counts


@dataclass(frozen=True)
class Tally:
    """One system of the list with its controls counted."""

    system: System
    classes: Counter[str]
    verdicts: Counter[str]
    proven: Counter[str]

    @property
    def total(self) -> int:
        """Controls of its baseline."""
        return sum(self.classes.values())

    @property
    def burden(self) -> list[Segment]:
        """The controls by class, as parts of a bar."""
        return bar([Segment(c, t, self.classes[c], note) for c, t, note in CLASSES])

    @property
    def proof(self) -> list[Segment]:
        """The controls by verdict, as parts of a bar; proven ones by whose halves."""
        return bar(proof_segments(self.verdicts, self.proven))


def kept_tallies(systems: Sequence[System], now: dt.datetime) -> list[Tally]:
    """The same as `tallies`; only systems of which something changed are judged."""

    def count(
        changed: Sequence[System],
    ) -> dict[int, tuple[Counter[str], Counter[str], Counter[str]]]:
        return {
            tally.system.pk: (tally.classes, tally.verdicts, tally.proven)
            for tally in tallies(changed, now)
        }

    days = {system: system.day_of(now) for system in systems}
    counted = kept_counts("tally", days, count)
    return [Tally(system, *counted[system.pk]) for system in systems]


def tallies(systems: Sequence[System], now: dt.datetime) -> list[Tally]:
    """Counts by class and verdict of each system on its own day of today."""
    classes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    pks: defaultdict[int, list[int]] = defaultdict(list)
    rows = ControlImplementation.objects.filter(system__in=systems)
    for system, pk, responsibility in rows.values_list(
        "system_id", "pk", "responsibility"
    ):
        pks[system].append(pk)
        classes[system][responsibility] += 1
    verdicts, proven = _verdicts(systems, pks, now)
    return [Tally(s, classes[s.pk], verdicts[s.pk], proven[s.pk]) for s in systems]


def _verdicts(
    systems: Sequence[System], pks: Mapping[int, Sequence[int]], now: dt.datetime
) -> tuple[dict[int, Counter[str]], dict[int, Counter[str]]]:
    """Verdicts by system, and the proven ones by whose halves they rest on.

    Statements are run once per calendar day there is.
    """
    verdicts: dict[int, Counter[str]] = {}
    proven: dict[int, Counter[str]] = {}
    for day, same_day in systems_by_day(systems, now).items():
        for system, gathered in gather_many(same_day, pks, Moment(day)):
            judged = [
                (status.verdict, gathered.facts[pk])
                for pk, status in statuses(gathered.facts, day).items()
            ]
            verdicts[system.pk] = Counter(verdict for verdict, _ in judged)
            shares = (shares_of(verdict, facts) for verdict, facts in judged)
            proven[system.pk] = Counter(share for share in shares if share)
    return verdicts, proven
