"""Who answers for a control, from its layers and the components in use. Pure.

Source: the AWS shared responsibility model; rules R1 to R6 of the house rules in
docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

LAYERS = (
    "facilities",
    "hardware",
    "network",
    "virtualization",
    "host-os",
    "guest-os",
    "platform",
    "service-configuration",
    "managed-recovery",
    "log-service",
    "dns-service",
    "certificate-service",
    "remote-entry",
    "application",
    "firewall",
    "data-zoning",
    "traffic-protection",
    "server-side-encryption",
    "client-side-encryption",
    "identity",
    "customer-data",
    "people",
    "programme",
    "end-user-device",
)

Party = Literal["aws", "customer", "third-party"]
Kind = Literal["configured", "provided"]
Class = Literal["inherited", "shared", "customer", "none", "unclassified"]

TEMPLATE_SOURCE = "SRM template"


@dataclass(frozen=True, slots=True)
class LayerParty:
    """One party that runs a layer of a component, and what it has to do there."""

    party: str
    kind: str
    duty: str
    source: str


@dataclass(frozen=True, slots=True)
class ComponentInUse:
    """A component with the parties of each of its layers; others are not there."""

    component: str
    variant: str
    provider: str
    layers: Mapping[str, tuple[LayerParty, ...]]


@dataclass(frozen=True, slots=True, order=True)
class BasisRow:
    """One reason: this party runs this layer of this component."""

    layer: str
    component: str
    variant: str
    party: str
    kind: str
    source: str
    duty: str

    def as_json(self) -> dict[str, str]:
        """The row as plain data."""
        return {
            "layer": self.layer,
            "component": self.component,
            "variant": self.variant,
            "party": self.party,
            "kind": self.kind,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Derivation:
    """The class of a control, each side's duties, and why."""

    responsibility: str
    aws_duties: tuple[str, ...]
    customer_duties: tuple[str, ...]
    basis: tuple[BasisRow, ...]

    def as_json(self) -> list[dict[str, str]]:
        """The basis as plain data."""
        return [row.as_json() for row in self.basis]


def organisation(*, has_own_code: bool = True) -> ComponentInUse:
    """The component every system has: one's own people, programme, zoning and code."""
    ours = (LayerParty("customer", "provided", "", TEMPLATE_SOURCE),)
    layers = {"people": ours, "programme": ours, "data-zoning": ours}
    if has_own_code:
        layers["application"] = ours
    return ComponentInUse("organisation", "", "customer", layers)


def derive(
    layers_of_control: Iterable[str] | None,
    components_in_use: Iterable[ComponentInUse],
) -> Derivation:
    """Class and reasons of a control. None: nobody has read it, so `unclassified`."""
    if layers_of_control is None:
        return Derivation("unclassified", (), (), ())
    governed = frozenset(layers_of_control)
    rows = sorted(
        BasisRow(
            layer,
            component.component,
            component.variant,
            layer_party.party,
            layer_party.kind,
            layer_party.source,
            layer_party.duty,
        )
        for component in components_in_use
        for layer, parties in component.layers.items()
        if layer in governed
        for layer_party in parties
    )
    parties = {row.party for row in rows}
    return Derivation(
        class_of_parties(parties),
        _duties(rows, ours=False),
        _duties(rows, ours=True),
        tuple(rows),
    )


def class_of_parties(parties: set[str]) -> str:
    """R1 and R3: third parties count as provider; no party at all is `none`."""
    provider = bool(parties & {"aws", "third-party"})
    if "customer" in parties:
        return "shared" if provider else "customer"
    return "inherited" if provider else "none"


def _duties(rows: list[BasisRow], *, ours: bool) -> tuple[str, ...]:
    duties = [
        f"{row.layer}: {row.duty or row.component}"
        for row in rows
        if (row.party == "customer") == ours
    ]
    return tuple(dict.fromkeys(duties))
