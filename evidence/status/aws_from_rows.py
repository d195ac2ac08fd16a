"""The providers' side of one system, made from rows: components, reports, letters."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.text import slugify

from evidence.status.facts import (
    AWS,
    ArtifactVersionFacts,
    AwsFacts,
    LetterFacts,
    NeededService,
)
from evidence.status.not_gathered import not_gathered
from evidence.status.rows import Row, as_json

REGION_LAYERS = frozenset({"facilities", "hardware", "network"})
ONE_DAY = dt.timedelta(days=1)


PROVIDERS = frozenset({"aws", "third-party"})  # parties of a basis


def aws_layers(basis: Any) -> frozenset[str]:
    """Layers that providers run according to a basis: `party/layer/component`."""
    return frozenset(
        f"{row['party']}/{row['layer']}/{row['component']}"
        for row in basis
        if row["party"] in PROVIDERS
    )


@dataclass(frozen=True)
class AwsRows:
    """What was read about the providers' side of one system."""

    system: Row
    components: list[Row]
    versions: list[Row]


# Artifacts cited for a control, each with whether the system accepted the citation.
Cited = tuple[tuple[int, bool], ...]


class AwsSide:
    """The providers' facts in one system: one object for each distinct question.

    `layers` are those of each basis by its digest, `citations` what is cited for each
    control by its key.
    """

    def __init__(
        self,
        read: AwsRows,
        layers: Mapping[str, frozenset[str]],
        citations: Mapping[int, Cited],
    ) -> None:
        self.system = read.system
        self.components = read.components
        self.layers = layers
        self.citations = citations
        self.versions: defaultdict[int, list[ArtifactVersionFacts]] = defaultdict(list)
        for row in read.versions:
            self.versions[row["artifact_id"]].append(_version_facts(row))
        self.memo: dict[Any, AwsFacts] = {}
        self.waiting: dict[int, list[ArtifactVersionFacts]] = {}

    def cited(self, control: int) -> tuple[int, ...]:
        """Artifacts cited for a control."""
        return tuple(artifact for artifact, _ in self.citations.get(control, ()))

    def facts(self, control: int, digests: frozenset[str]) -> AwsFacts:
        """The providers' side of a control whose class rested on these bases."""
        key = (digests, self.citations.get(control, ()))
        if key not in self.memo:
            layers = frozenset().union(
                *(self.layers.get(d, frozenset()) for d in digests)
            )
            self.memo[key] = self._facts(layers, key[1])
        return self.memo[key]

    def _facts(self, layers: frozenset[str], cited: Cited) -> AwsFacts:
        return AwsFacts(
            needed=self._needed(layers),
            versions=tuple(
                version
                for artifact, accepted in cited
                for version in self._versions(artifact, accepted=accepted)
            ),
            regime=self.system["regime"],
            impact_level=self.system["impact_level"],
            partition=self.system["partition"],
            currency_days=self.system["currency_days"],
        )

    def _versions(self, artifact: int, *, accepted: bool) -> list[ArtifactVersionFacts]:
        if accepted:
            return self.versions[artifact]
        if artifact not in self.waiting:
            self.waiting[artifact] = [
                replace(version, citation="waiting")
                for version in self.versions[artifact]
            ]
        return self.waiting[artifact]

    def _needed(self, layers: frozenset[str]) -> tuple[NeededService, ...]:
        """One entry per use of a component, provider and scope, in a fixed order."""
        of_party: dict[tuple[str, str], set[str]] = defaultdict(set)
        for layer_of in layers:
            party, layer, service = layer_of.split("/", 2)
            of_party[party, service].add(layer)
        needs: set[NeededService] = set()
        for component in self.components:
            service = component["service"]
            run_by_aws = of_party.get(("aws", service), set())
            run_by_others = of_party.get(("third-party", service), set())
            if component["offered_by"] != AWS:
                # Old bases call whoever offers a component AWS.
                run_by_aws, run_by_others = set(), run_by_aws | run_by_others
            for scope, governed in _scopes(run_by_aws):
                needs.add(_needed_of_aws(component, scope, governed))
            if run_by_others:
                needs.add(_needed_of_third_party(component, run_by_others))
        # AWS first, then by name: the order in which reasons are read.
        return tuple(
            sorted(
                needs,
                key=lambda n: (
                    n.provider != AWS,
                    n.provider,
                    n.slug,
                    n.scope,
                    n.used_from,
                    n.sites,
                ),
            )
        )


def _scopes(layers: set[str]) -> list[tuple[str, tuple[str, ...]]]:
    by_region = tuple(sorted(layers & REGION_LAYERS))
    by_service = tuple(sorted(layers - REGION_LAYERS))
    return [
        (scope, governed)
        for scope, governed in (("region", by_region), ("service", by_service))
        if governed
    ]


def _needed_of_aws(
    component: Row, scope: Any, layers: tuple[str, ...]
) -> NeededService:
    return NeededService(
        slug=component["service"],
        scope=scope,
        used_from=component["used_from"],
        used_until=component["used_until"],
        is_global=component["is_global"],
        regions=tuple(component["regions"]),
        layers=layers,
        provider=AWS,
        provider_name="AWS",
        sites=(),
    )


def _needed_of_third_party(component: Row, layers: set[str]) -> NeededService:
    """A component by its provider; regions of a service of AWS are no sites."""
    own_service = component["offered_by"] != AWS
    slug, name = component["service"], component["service_name"]
    if not own_service:
        slug, name = f"{slug}-third-party", f"Third party of {name}"
    if provided_by := component["provided_by"]:
        slug, name = slugify(provided_by), provided_by
    sites = tuple(component["regions"]) if own_service else ()
    if not sites and component["name"]:
        sites = (component["name"],)
    return NeededService(
        slug=component["service"],
        scope="site",
        used_from=component["used_from"],
        used_until=component["used_until"],
        is_global=False,
        regions=(),
        layers=tuple(sorted(layers)),
        provider=slug,
        provider_name=name,
        sites=sites,
    )


def _version_facts(row: Row) -> ArtifactVersionFacts:
    ended = row["state"] in {"revoked", "withdrawn"}  # superseded takes nothing away
    return ArtifactVersionFacts(
        uuid=str(row["uuid"]),
        artifact=row["title"],
        series=row["series"],
        kind=row["kind"],
        label=row["label"],
        starts=row["starts"],
        ends=row["until"] - ONE_DAY if row["until"] else None,
        scheme=row["scheme"],
        type1=row["type1"],
        responsibility_summary=row["responsibility_summary"],
        state=row["state"] if ended else "active",
        revoked_on=row["ended_on"] if ended else None,
        opinion=row["opinion"],
        impact_level=row["impact_level"],
        partition=row["partition"],
        services_in_scope=frozenset(row["service_slugs"]),
        regions_in_scope=frozenset(row["regions"]),
        reliance=row["conclusion"],
        letters=tuple(
            _letter_facts(*letter) for letter in as_json(row["letters"]) or ()
        ),
        provider=row["provider_slug"],
        sites_in_scope=frozenset(row["sites"]),
        citation="accepted",
        **not_gathered(ArtifactVersionFacts),
    )


def _letter_facts(issued_on: str, starts: str, until: str, state: Any) -> LetterFacts:
    """A letter as it comes with its report: three days as text, and the state."""
    return LetterFacts(
        issued_on=dt.date.fromisoformat(issued_on),
        starts=dt.date.fromisoformat(starts),
        ends=dt.date.fromisoformat(until) - ONE_DAY,
        state=state,
    )
