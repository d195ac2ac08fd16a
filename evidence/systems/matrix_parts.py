"""The parts of controls that are read otherwise than the whole (R5).

A reading may be for a part; what is not said for a part comes from the control. Where
the class rests on readings, the basis of a part is that of its control over the part's
own layers. A reading that was loaded after the instant asked about was not known then.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from controls.control_parts import labelled_parts, nearest
from controls.models import Control, ControlLayer
from controls.models.catalog import Origin

Layers = frozenset[str]


@dataclass(frozen=True, slots=True)
class PartReading:
    """Parts of one control that govern the same layers; `labels` as documents say."""

    labels: tuple[str, ...]
    layers: Layers


def part_readings(
    control_pks: Iterable[int], known_at: dt.datetime | None
) -> dict[int, list[PartReading]]:
    """The lowest parts of controls by what they govern, for controls of which a part
    has a reading of its own. One statement, a second one where there are any."""
    rows = ControlLayer.objects.filter(control__in=list(control_pks), as_base=False)
    with_parts = ControlLayer.objects.exclude(statement_id="").values("control")
    rows = rows.filter(control__in=with_parts)
    if known_at is not None:
        rows = rows.filter(reference_version__loaded_at__lt=known_at)
    read: dict[int, dict[str, dict[str, set[str]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(set))
    )
    for pk, origin, statement_id, layer in rows.values_list(
        "control_id", "origin", "statement_id", "layer"
    ):
        read[pk][origin][statement_id].add(layer)
    own = {
        pk: by_origin.get(Origin.LOCAL) or by_origin[Origin.SHIPPED]
        for pk, by_origin in read.items()
    }
    own = {pk: layers for pk, layers in own.items() if layers.keys() - {""}}
    if not own:
        return {}
    texts = Control.objects.filter(pk__in=list(own)).values_list("pk", "statements")
    return {pk: _grouped(statements, own[pk]) for pk, statements in texts}


def layers_of(readings: Iterable[PartReading], letter: str) -> Layers:
    """What the parts under a letter, such as `(a)`, govern; none where no part of the
    control has a reading of its own."""
    return Layers().union(
        *(
            reading.layers
            for reading in readings
            if any(label.startswith(letter) for label in reading.labels)
        )
    )


def _grouped(
    statements: Sequence[Mapping[str, str]], own: Mapping[str, set[str]]
) -> list[PartReading]:
    """The lowest parts, those of the same layers together."""
    whole = set().union(*own.values())
    labels: dict[Layers, list[str]] = {}
    for part in labelled_parts(statements):
        if part.lowest:
            layers = nearest(part.statement_id, own) or whole
            labels.setdefault(frozenset(layers), []).append(_path(part.label))
    return [PartReading(tuple(named), layers) for layers, named in labels.items()]


def _path(label: str) -> str:
    """“d.1” as documents name it: “(d)(1)”."""
    steps = label.replace("(", ".").replace(")", ".").split(".")
    return "".join(f"({step})" for step in steps if step)
