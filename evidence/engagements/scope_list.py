"""A scope as people name it: by controls, or by the regime's own numbers.

A number stands for the controls that answer to it by the system's crosswalk; one above
others, such as PCI 8.3 above 8.3.1, for those of all below it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from controls.control_ids import label_of
from controls.engagement_scope import read_controls, unknown_in_words
from controls.errors import Refused
from controls.models import System
from evidence.status.control_status import named
from evidence.status.criteria import in_order
from evidence.status.rows import Moment

# What people write before a number: `PCI 8.3`, `ISO 27001 A.5.15`.
REGIME = re.compile(
    r"\b(?:pci(?:\s+dss)?|soc\s*2|iso(?:\s+27001)?)\s+(?=[a-z]*\.?\d)", re.IGNORECASE
)
NO_NUMBER = (
    " Nor does any of its controls answer to such a number of a regime; its crosswalk"
    " says which do."
)


@dataclass(frozen=True)
class ScopeList:
    """Ids of the controls that a list names, and those of each number in it."""

    controls: frozenset[str]
    numbers: Mapping[str, tuple[str, ...]]

    @property
    def sentence(self) -> str:
        """`CC6.1 is AC-2 and AC-3.`; empty where no number was named."""
        return " ".join(
            f"{number} is {', '.join(map(label_of, controls))}."
            for number, controls in self.numbers.items()
        )


def read_scope(system: System, typed: str, *, on: dt.date, field: str) -> ScopeList:
    """What a list names in a system, by the crosswalk of a day.

    Raises Refused for `field` with what is neither a control nor a number of it. Two
    statements.
    """
    read = read_controls(system, REGIME.sub("", typed))
    numbers: dict[str, tuple[str, ...]] = {}
    unknown = []
    of_number = controls_by_number(system, on) if read.unknown else {}
    for text in read.unknown:
        named_here = [
            (number, controls)
            for number, controls in of_number.items()
            if f"{number}.".lower().startswith(f"{text}.".lower())
        ]
        if not named_here:
            unknown.append(text)
            continue
        below = dict.fromkeys(one for _, controls in named_here for one in controls)
        exact = next((n for n, _ in named_here if n.lower() == text.lower()), text)
        numbers[exact] = tuple(below)
    if unknown:
        raise Refused({field: unknown_in_words(unknown) + NO_NUMBER})
    below_numbers = {one for controls in numbers.values() for one in controls}
    return ScopeList(frozenset({*read.controls, *below_numbers}), numbers)


def controls_by_number(system: System, on: dt.date) -> dict[str, list[str]]:
    """Ids of the controls that answer to each number on a day, in the numbers' order.
    One statement."""
    by_number: defaultdict[str, list[str]] = defaultdict(list)
    for row in named(system, Moment(on)):
        for number in row["regime_numbers"]:
            by_number[number].append(row["ref_id"])
    return {number: by_number[number] for number in sorted(by_number, key=in_order)}


def numbers_in_scope(
    by_number: Mapping[str, Iterable[str]], chosen: Collection[str] | None
) -> list[dict[str, object]]:
    """Each number with its controls in scope, and those out of it; numbers that no
    control in scope answers to are left out."""
    rows: list[dict[str, object]] = []
    for number, controls in by_number.items():
        inside = [one for one in controls if chosen is None or one in chosen]
        outside = [one for one in controls if one not in inside]
        if inside:
            rows.append({"number": number, "controls": inside, "out_of_scope": outside})
    return rows
