"""Which providers' reports would not speak for services that a system would begin to
use: by the rules of proof, in thought only (R20, R23)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from controls.models import ControlImplementation, ServiceVariant, System
from controls.responsibility.derive import Derivation
from evidence.status.aws_from_rows import AwsRows, AwsSide, aws_layers
from evidence.status.aws_half import NeedProof, need_proofs
from evidence.status.gather import Moment, about_systems, read_of_aws
from evidence.status.half import GOOD
from evidence.status.rows import Row, as_bigints
from evidence.systems.service_uses import ChangeOfServices


@dataclass(frozen=True)
class UnprovenService:
    """Why a provider's part would not be proven for a service, and of which controls,
    by their labels in catalog order."""

    service: str
    sentence: str
    controls: tuple[str, ...]


def unproven_services(
    system: System,
    change: ChangeOfServices,
    after: Mapping[ControlImplementation, Derivation],
    names: Mapping[str, str],
) -> list[UnprovenService]:
    """What stands against the reports that are cited for the controls, of services that
    would begin; by service, then what touches most controls first.

    `after` are the classes then. Controls that are left out are not asked about. Five
    statements.
    """
    begun = {variant.service.slug for variant in change.starting}
    if not begun:
        return []
    day = change.first_day
    side, keys = _side_then(system, change, after)
    labels: dict[tuple[str, str], list[str]] = {}
    judged: dict[int, tuple[NeedProof, ...]] = {}
    for implementation, derivation in after.items():
        if implementation.applicability == "not-applicable":
            continue
        control = implementation.control
        digest = frozenset({keys[derivation]})
        facts = side.facts(control.pk, digest, control.ref_id)
        if id(facts) not in judged:
            judged[id(facts)] = need_proofs(facts, day)
        for service, sentence in _lacking(judged[id(facts)], begun, names):
            labels.setdefault((service, sentence), []).append(control.label)
    rows = [
        UnprovenService(names.get(service, service), sentence, tuple(of))
        for (service, sentence), of in labels.items()
    ]
    return sorted(rows, key=lambda row: (row.service, -len(row.controls), row.sentence))


def _lacking(
    proofs: Sequence[NeedProof], begun: set[str], names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Service and sentence of what is not proven, each once."""
    rows = {
        (proof.need.slug, reason.sentence_with(names)): None
        for proof in proofs
        if proof.need.slug in begun and proof.result.state not in GOOD
        for reason in proof.result.reasons
    }
    yield from rows


def _side_then(
    system: System,
    change: ChangeOfServices,
    after: Mapping[ControlImplementation, Derivation],
) -> tuple[AwsSide, Mapping[Derivation, str]]:
    """The providers' side with the other services, and the name of each basis in it."""
    moment = Moment(change.first_day)
    about = about_systems([system], moment)
    pks = {"implementations": as_bigints(row.pk for row in after)}
    read = read_of_aws([system], moment, pks)
    keys = {basis: str(n) for n, basis in enumerate(dict.fromkeys(after.values()))}
    layers = {name: aws_layers(basis.as_json()) for basis, name in keys.items()}
    ending = {_slugs(variant) for variant in change.ending}
    kept = [
        row
        for row in read.components[system.pk]
        if (row["service"], row["variant"]) not in ending
    ]
    begun = [_component(system, change, variant) for variant in change.starting]
    rows = AwsRows(about[system.pk], [*kept, *begun], read.versions[system.pk])
    return AwsSide(rows, layers, read.citations[system.pk]), keys


def _slugs(variant: ServiceVariant) -> tuple[str, str]:
    return variant.service.slug, variant.slug


def _component(
    system: System, change: ChangeOfServices, variant: ServiceVariant
) -> Row:
    """A use that begins, as rows of components are read."""
    service = variant.service
    regional = service.provider == "aws" and not service.is_global
    return {
        "system_id": system.pk,
        "variant": variant.slug,
        "service": service.slug,
        "service_name": service.name,
        "offered_by": service.provider,
        "is_global": service.is_global,
        "regions": list(change.regions) if regional else [],
        "name": "",
        "provided_by": "",
        "used_from": change.first_day,
        "used_until": None,
    }
