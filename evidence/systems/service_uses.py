"""The uses of services that a change ends and begins, all of them on one day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F

from controls.errors import Refused
from controls.models import (
    RetrospectiveChange,
    ServiceVariant,
    System,
    SystemComponent,
)
from controls.service_names import named_each, variant_label
from evidence.systems.describe import Use, component_of


@dataclass(frozen=True)
class ChangeOfServices:
    """What ends and what begins on `first_day`: the last day of the one is the day
    before. `regions` are those of all AWS services that begin."""

    ending: tuple[ServiceVariant, ...]
    starting: tuple[ServiceVariant, ...]
    first_day: dt.date
    regions: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The change as plain data, of which `opened` makes it again."""
        return {
            "ending": [slug_of(variant) for variant in self.ending],
            "starting": [slug_of(variant) for variant in self.starting],
            "first_day": str(self.first_day),
            "regions": list(self.regions),
        }


def slug_of(variant: ServiceVariant) -> str:
    """`lambda:runtime-auto`, as commands and API say it."""
    return f"{variant.service.slug}:{variant.slug}"


def opened(body: Mapping[str, Any]) -> ChangeOfServices:
    """The change that plain data says. Raises Refused for a service that is gone."""
    ending = named_each(body["ending"], field="end")
    starting = named_each(body["starting"], field="add")
    return ChangeOfServices(
        tuple(ending),
        tuple(starting),
        dt.date.fromisoformat(body["first_day"]),
        tuple(body["regions"]),
    )


def name_of(component: SystemComponent) -> str:
    """The service as people call it, with the name of this use of it."""
    label = variant_label(component.variant)
    return f"{label} ({component.name})" if component.name else label


def ending_uses(system: System, change: ChangeOfServices) -> list[SystemComponent]:
    """The uses that end, locked. Raises Refused for what is not in use then, or only
    from that day on."""
    uses = list(
        SystemComponent.objects.select_for_update(of=("self",))
        .filter(system=system, variant__in=[v.pk for v in change.ending])
        .select_related("variant__service")
        .order_by("pk")
    )
    day = change.first_day
    running = [
        use
        for use in uses
        if use.used_from <= day and (use.used_until is None or day < use.used_until)
    ]
    in_use = {use.variant_id for use in running}
    for variant in change.ending:
        if variant.pk not in in_use:
            sentence = f"{variant_label(variant)} is not in use on {day}."
            raise Refused({"end": sentence})
    for use in running:
        if use.used_from == day:
            sentence = f"{name_of(use)} is in use from {day} on"
            raise Refused({"end": f"{sentence}: it cannot end on that day."})
    return running


def starting_uses(system: System, change: ChangeOfServices) -> list[SystemComponent]:
    """The unsaved uses that begin. Raises Refused for one that is in use by then."""
    begins = []
    for variant in change.starting:
        use = Use(variant, change.first_day, regions=change.regions)
        component = component_of(system, use)
        try:
            component.full_clean()
        except ValidationError as refusal:
            sentence = " ".join(refusal.messages)
            raise Refused({"add": f"{variant_label(variant)}: {sentence}"}) from None
        begins.append(component)
    return begins


def write_uses(
    ends: Sequence[SystemComponent],
    begins: Sequence[SystemComponent],
    day: dt.date,
    approved: RetrospectiveChange | None,
) -> None:
    """One end and one start, whatever their number."""
    if not ends and not begins:
        raise Refused("Choose what ends or begins: this is what runs already.")
    values: dict[str, Any] = {"used_until": day, "version": F("version") + 1}
    if approved is not None:
        values["change"] = approved
        for component in begins:
            component.change = approved
    if ends:
        keys = [component.pk for component in ends]
        SystemComponent.objects.filter(pk__in=keys).update(**values)
    SystemComponent.objects.bulk_create(begins)
