"""From rows to what `derive` takes: layers of controls, components in use."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from controls.models import Control, ControlLayer, SystemComponent
from controls.models.catalog import Origin
from controls.models.services import PartyChoice, Provider, ServiceLayer
from controls.responsibility.derive import ComponentInUse, LayerParty, organisation


def layers_of_controls(controls: Iterable[Control]) -> dict[int, frozenset[str] | None]:
    """Layers that each control governs, by its pk; None where nobody has read it.

    Parts are united into their control; an enhancement marked as its base takes the
    base's layers; a local reading shadows the shipped one of the same control.
    """
    parents = {control.pk: control.parent_id for control in controls}
    pks = {*parents, *(parent for parent in parents.values() if parent)}
    shipped: dict[int, set[str]] = defaultdict(set)
    local: dict[int, set[str]] = defaultdict(set)
    as_base: set[int] = set()
    rows = ControlLayer.objects.filter(control__in=pks)
    for pk, layer, base, origin in rows.values_list(
        "control_id", "layer", "as_base", "origin"
    ):
        if base:
            as_base.add(pk)
        else:
            (local if origin == Origin.LOCAL else shipped)[pk].add(layer)

    def own_layers(pk: int) -> frozenset[str] | None:
        layers = local.get(pk) or shipped.get(pk)
        return frozenset(layers) if layers else None

    return {
        pk: own_layers(pk) or (own_layers(parent) if pk in as_base and parent else None)
        for pk, parent in parents.items()
    }


# What a service of AWS may have. Of one that nobody has read all of it counts as ours.
LAYERS_OF_SERVICES = (
    "facilities",
    "hardware",
    "network",
    "virtualization",
    "host-os",
    "guest-os",
    "platform",
    "service-configuration",
    "firewall",
    "traffic-protection",
    "server-side-encryption",
    "client-side-encryption",
    "identity",
    "customer-data",
)
UNREAD_SERVICE = (
    "Not classified: nobody has read who runs this part of the service, so it counts as"
    " yours"
)
UNREAD: Mapping[str, tuple[LayerParty, ...]] = {
    layer: (LayerParty("customer", "provided", "", UNREAD_SERVICE),)
    for layer in LAYERS_OF_SERVICES
}


def component_in_use(
    service: str, variant: str, provider: str, layers: Iterable[ServiceLayer]
) -> ComponentInUse:
    """One component as `derive` takes it; local layer rows shadow shipped ones.

    A service of AWS that nobody has read is never inherited: whatever it may have is
    ours, and says so (R6).
    """
    rows: dict[str, ServiceLayer] = {}
    for row in sorted(layers, key=lambda row: row.origin == Origin.LOCAL):
        rows[row.layer] = row
    parties: Mapping[str, tuple[LayerParty, ...]] = {
        layer: _parties(row, provider) for layer, row in rows.items()
    }
    if not parties and provider == Provider.AWS:
        parties = UNREAD
    return ComponentInUse(
        component=service, variant=variant, provider=provider, layers=parties
    )


def _parties(row: ServiceLayer, provider: str) -> tuple[LayerParty, ...]:
    """Who runs the layer: "both" is whoever offers the component, and the customer.

    A carrier's line that we rent is the carrier's and ours, never AWS's (R3).
    """
    ours = LayerParty("customer", row.kind, row.duty, row.source)
    if row.party == PartyChoice.BOTH:
        return (LayerParty(provider, "provided", "", row.source), ours)
    if row.party == PartyChoice.ALL:
        return (
            LayerParty("aws", "provided", "", row.source),
            LayerParty("third-party", "provided", "", row.source),
            ours,
        )
    return (LayerParty(row.party, row.kind, row.duty, row.source),)


def in_use(
    components: Iterable[SystemComponent], day: dt.date, *, has_own_code: bool
) -> list[ComponentInUse]:
    """What runs on a day, the organisation itself always among it."""
    running = {
        component.variant_id: component.variant
        for component in components
        if component.used_from <= day
        and (component.used_until is None or day < component.used_until)
    }
    return [
        organisation(has_own_code=has_own_code),
        *(
            component_in_use(
                variant.service.slug,
                variant.slug,
                variant.service.provider,
                variant.layers.all(),
            )
            for variant in running.values()
        ),
    ]
