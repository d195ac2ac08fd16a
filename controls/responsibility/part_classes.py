"""The class of each part of a control, where its parts differ (R5). Pure.

A part's parties are those of the control's decision, of the layers that the part
governs: so a past day is answered by what was decided for it, as the control is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controls.control_parts import Part, nearest
from controls.responsibility.derive import class_of_parties


@dataclass(frozen=True)
class LayerReading:
    """A layer that a control governs, or with a `statement_id` a part of it; why."""

    statement_id: str
    layer: str
    reason: str


@dataclass(frozen=True)
class PartClass:
    """Who answers for a part; `reasons` of its own reading, or of the control's."""

    statement_id: str
    label: str
    responsibility: str
    reasons: tuple[str, ...]


def classes_of_parts(
    parts: Sequence[Part],
    readings: Iterable[LayerReading],
    basis: Iterable[Mapping[str, str]],
) -> dict[str, PartClass]:
    """Each lowest part's class by its id; empty where all parts are of one class.

    What is not said for a part comes from the part above it, then from the control.
    Empty as well where a layer of the basis is in no reading any more: then nobody can
    say of which part it was.
    """
    by_part: defaultdict[str, list[LayerReading]] = defaultdict(list)
    for reading in readings:
        by_part[reading.statement_id].append(reading)
    rows = list(basis)
    read = {reading.layer for own in by_part.values() for reading in own}
    if not set(by_part) - {""} or {row["layer"] for row in rows} - read:
        return {}
    classes = {}
    for part in parts:
        if part.lowest:
            own = _readings_of(part.statement_id, by_part)
            layers = {reading.layer for reading in own}
            parties = {row["party"] for row in rows if row["layer"] in layers}
            reasons = dict.fromkeys(reading.reason for reading in own)
            classes[part.statement_id] = PartClass(
                part.statement_id, part.label, class_of_parties(parties), tuple(reasons)
            )
    if len({one.responsibility for one in classes.values()}) < 2:
        return {}
    return classes


def _readings_of(
    statement_id: str, by_part: Mapping[str, list[LayerReading]]
) -> list[LayerReading]:
    """Of the part, the nearest above it, the control; else all that is said of parts:
    the control's class is the union of its parts."""
    return nearest(statement_id, by_part) or [
        reading for own in by_part.values() for reading in own
    ]
