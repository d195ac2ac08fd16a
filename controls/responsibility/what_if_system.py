"""A system with other components than it has: read, compared, never written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from controls.errors import Refused
from controls.models import (
    ControlImplementation,
    ServiceVariant,
    System,
    SystemComponent,
)
from controls.responsibility.derive import ComponentInUse
from controls.responsibility.inputs import component_in_use, in_use, layers_of_controls
from controls.responsibility.what_if import Difference, compare


def running(system: System, day: dt.date) -> list[ServiceVariant]:
    """The variants in use on a day, by name."""
    uses = SystemComponent.objects.filter(system=system).with_layers()
    variants = {
        use.variant_id: use.variant
        for use in uses
        if use.used_from <= day and (use.used_until is None or day < use.used_until)
    }
    return sorted(
        variants.values(), key=lambda variant: (variant.service.name, variant.slug)
    )


def suppose(
    system: System,
    day: dt.date,
    *,
    ending: Collection[ServiceVariant],
    adding: Iterable[ServiceVariant],
) -> Difference[ControlImplementation]:
    """What ending and adding variants would change on a day, in catalog order.

    Classes are those that components give: overrides and the provider's documents, in
    `decision.source` of each control, keep ruling over them. A constant number of
    statements. Raises Refused for ending what is not in use, and where nothing changes.
    """
    now = running(system, day)
    ends = {variant.pk for variant in ending}
    for variant in ending:
        if variant not in now:
            raise Refused({"end": f"{variant} is not in use on {day:%Y-%m-%d}."})
    later = {variant.pk: variant for variant in now if variant.pk not in ends}
    later |= {variant.pk: variant for variant in adding}
    if set(later) == {variant.pk for variant in now}:
        raise Refused("Choose what would end or begin: this is what runs already.")
    controls = list(system.implementations.for_listing())
    governed = layers_of_controls(
        [implementation.control for implementation in controls]
    )
    return compare(
        {
            implementation: governed[implementation.control_id]
            for implementation in controls
        },
        [*_own(system, day), *map(_component, now)],
        [*_own(system, day), *map(_component, later.values())],
    )


def _own(system: System, day: dt.date) -> list[ComponentInUse]:
    """The organisation itself, which always runs."""
    return in_use([], day, has_own_code=system.own_code)


def _component(variant: ServiceVariant) -> ComponentInUse:
    service = variant.service
    return component_in_use(
        service.slug, variant.slug, service.provider, variant.layers.all()
    )
