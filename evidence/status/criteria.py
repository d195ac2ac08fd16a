"""How the regime's own numbers stand: each is as good as the worst of its controls."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.models import System
from evidence.status.control_filter import judged
from evidence.status.control_status import ControlStatus, listed
from evidence.status.gather import Moment

WORST_FIRST = ("unproven", "partly", "proven", "not_applicable")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Criterion:
    """One number with the controls that answer to it, in catalog order."""

    number: str
    answers: tuple[ControlStatus, ...]

    @property
    def verdict(self) -> str:
        """The worst verdict; *not applicable* only where all its controls are."""
        verdicts = {answer.status.verdict for answer in self.answers}
        return next(verdict for verdict in WORST_FIRST if verdict in verdicts)


def in_order(number: str) -> list[tuple[int, int | str]]:
    """Sorts numbers as people do: CC6.2 before CC6.10."""
    parts = re.findall(r"\d+|\D+", number)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def numbers_among(rows: Iterable[Row]) -> list[str]:
    """The different numbers of `listed` rows, in order."""
    return sorted({n for row in rows for n in row["regime_numbers"]}, key=in_order)


def criteria(system: System, moment: Moment) -> list[Criterion]:
    """Every number that stands beside a control on the moment's day, in order.

    A constant number of statements, whatever there is.
    """
    rows = [row for row in listed(system, moment) if row["regime_numbers"]]
    return _grouped(judged(system, moment, rows)) if rows else []


def criterion(system: System, moment: Moment, number: str) -> Criterion | None:
    """The one number; None where no control answered to it then."""
    rows = [row for row in listed(system, moment) if number in row["regime_numbers"]]
    answers = judged(system, moment, rows) if rows else []
    return Criterion(number, tuple(answers)) if answers else None


def _grouped(answers: Sequence[ControlStatus]) -> list[Criterion]:
    by_number: defaultdict[str, list[ControlStatus]] = defaultdict(list)
    for answer in answers:
        for number in answer.implementation["regime_numbers"]:
            by_number[number].append(answer)
    return [
        Criterion(number, tuple(by_number[number]))
        for number in sorted(by_number, key=in_order)
    ]
