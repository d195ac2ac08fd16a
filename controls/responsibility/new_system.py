"""What services would make of a baseline's controls, before the system is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from controls.models import Baseline, ServiceVariant
from controls.responsibility.derive import ComponentInUse, derive, organisation
from controls.responsibility.inputs import component_in_use, layers_of_controls

MAX_TURNING = 5  # services that are named with what they turn


@dataclass(frozen=True)
class Turned:
    """What one service does: the controls whose class it makes another one."""

    service: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class ClassTally:
    """How many controls are of which class with these services."""

    services: int
    classes: Mapping[str, int]
    turned: tuple[Turned, ...]


def tally_of(
    baseline: Baseline, variants: Sequence[ServiceVariant], *, has_own_code: bool
) -> ClassTally:
    """The classes of a baseline with these variants in use, and which turn what.

    Those that move most stand first, at most MAX_TURNING. Writes nothing.
    """
    controls = list(baseline.controls.order_by("sort_order"))
    governed = layers_of_controls(controls)
    own = organisation(has_own_code=has_own_code)
    used = [
        component_in_use(
            variant.service.slug,
            variant.slug,
            variant.service.provider,
            variant.layers.all(),
        )
        for variant in variants
    ]
    kinds = set(governed.values())
    whole = _classes(kinds, [own, *used])
    turned = []
    for number, variant in enumerate(variants):
        others = used[:number] + used[number + 1 :]
        without = _classes(kinds, [own, *others])
        moved = tuple(
            control.label
            for control in controls
            if without[governed[control.pk]] != whole[governed[control.pk]]
        )
        if moved:
            turned.append(Turned(variant.service.name, moved))
    turned.sort(key=lambda one: (-len(one.labels), one.service))
    classes = Counter(whole[governed[control.pk]] for control in controls)
    return ClassTally(len(variants), classes, tuple(turned[:MAX_TURNING]))


def _classes(
    kinds: set[frozenset[str] | None], components: list[ComponentInUse]
) -> dict[frozenset[str] | None, str]:
    """The class of each set of layers; controls share them by the dozen."""
    return {kind: derive(kind, components).responsibility for kind in kinds}
