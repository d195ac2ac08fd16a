"""Who answers for one part of a control, and with what (R5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controls.models.decisions import DecisionSource
from evidence.exports.formats.oscal.texts import Names, duties, layers_run
from evidence.status.control_status import ControlStatus
from evidence.status.facts import NeededService

Layers = frozenset[str]


@dataclass(frozen=True)
class PartSides:
    """What each provider runs of a part, by its slug; whether we answer for the part,
    and our duties there."""

    providers: Mapping[str, str]
    is_ours: bool
    duties: str


def sides_of(
    answer: ControlStatus,
    needed: Sequence[NeededService],
    layers: Layers,
    names: Names,
) -> PartSides:
    """Of a part that governs `layers`, none: of the whole control; `needed` is what
    makes providers parties of the control that day.

    Only a class that rests on readings says what a part of it rests on; where nothing
    of the part is in use, the control speaks for it.
    """

    def run(slug: str, only: Layers | None) -> str:
        return layers_run((n for n in needed if n.provider == slug), names, only=only)

    basis = [row for row in answer.basis if row["layer"] in layers]
    if not basis or answer.implementation["source"] != DecisionSource.DERIVED:
        named = {part.provider for part in answer.status.providers}
        named |= {need.provider for need in needed}
        if not answer.facts.aws_required:
            named = set()
        return PartSides(
            {slug: run(slug, None) for slug in sorted(named)},
            answer.facts.customer_required,
            duties(answer.basis, names),
        )
    ours = any(row["party"] == "customer" for row in basis)
    # what only a provider's report expects of us (R26) is in no basis
    by_layers = any(row["party"] == "customer" for row in answer.basis)
    here = {need.provider for need in needed if layers & set(need.layers)}
    return PartSides(
        {slug: run(slug, layers) for slug in sorted(here)},
        answer.facts.customer_required and (ours or not by_layers),
        duties(basis, names),
    )
