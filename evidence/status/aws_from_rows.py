"""AWS's side of one system, made from rows: services in use, reports and letters."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.status.facts import (
    ArtifactVersionFacts,
    AwsFacts,
    LetterFacts,
    NeededService,
)
from evidence.status.not_gathered import not_gathered
from evidence.status.rows import Row, as_json

REGION_LAYERS = frozenset({"facilities", "hardware", "network"})
ONE_DAY = dt.timedelta(days=1)


def aws_layers(basis: Any) -> frozenset[str]:
    """Layers that AWS runs according to a basis, with components: `layer/slug`."""
    return frozenset(
        f"{row['layer']}/{row['component']}" for row in basis if row["party"] == "aws"
    )


@dataclass(frozen=True)
class AwsRows:
    """What was read about AWS's side of one system."""

    system: Row
    components: list[Row]
    versions: list[Row]


class AwsSide:
    """AWS's facts in one system: one object for each distinct question.

    `layers` are those of each basis by its digest, `citations` the artifacts cited
    for each control by its key.
    """

    def __init__(
        self,
        read: AwsRows,
        layers: Mapping[str, frozenset[str]],
        citations: Mapping[int, tuple[int, ...]],
    ) -> None:
        self.system = read.system
        self.components = read.components
        self.layers = layers
        self.citations = citations
        self.versions: defaultdict[int, list[ArtifactVersionFacts]] = defaultdict(list)
        for row in read.versions:
            self.versions[row["artifact_id"]].append(_version_facts(row))
        self.memo: dict[Any, AwsFacts] = {}

    def cited(self, control: int) -> tuple[int, ...]:
        """Artifacts cited for a control."""
        return self.citations.get(control, ())

    def facts(self, control: int, digests: frozenset[str]) -> AwsFacts:
        """AWS's side of a control whose class rested on these bases."""
        key = (digests, self.cited(control))
        if key not in self.memo:
            layers = frozenset().union(
                *(self.layers.get(d, frozenset()) for d in digests)
            )
            self.memo[key] = self._facts(layers, key[1])
        return self.memo[key]

    def _facts(self, layers: frozenset[str], cited: tuple[int, ...]) -> AwsFacts:
        return AwsFacts(
            needed=self._needed(layers),
            versions=tuple(
                version for artifact in cited for version in self.versions[artifact]
            ),
            regime=self.system["regime"],
            impact_level=self.system["impact_level"],
            partition=self.system["partition"],
            currency_days=self.system["currency_days"],
        )

    def _needed(self, layers: frozenset[str]) -> tuple[NeededService, ...]:
        """One entry per use of a service and scope, in a fixed order."""
        by_service: dict[str, set[str]] = defaultdict(set)
        for layer_of in layers:
            layer, _, service = layer_of.partition("/")
            by_service[service].add(layer)
        services = {
            _needed_service(component, scope, governed)
            for component in self.components
            for scope, governed in _scopes(by_service.get(component["service"], set()))
        }
        return tuple(sorted(services, key=lambda n: (n.slug, n.scope, n.used_from)))


def _scopes(layers: set[str]) -> list[tuple[str, tuple[str, ...]]]:
    by_region = tuple(sorted(layers & REGION_LAYERS))
    by_service = tuple(sorted(layers - REGION_LAYERS))
    return [
        (scope, governed)
        for scope, governed in (("region", by_region), ("service", by_service))
        if governed
    ]


def _needed_service(
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
    )


def _version_facts(row: Row) -> ArtifactVersionFacts:
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
        state="revoked" if row["state"] == "revoked" else "active",
        revoked_on=row["ended_on"] if row["state"] == "revoked" else None,
        opinion=row["opinion"],
        impact_level=row["impact_level"],
        partition=row["partition"],
        services_in_scope=frozenset(row["service_slugs"]),
        regions_in_scope=frozenset(row["regions"]),
        reliance=row["conclusion"],
        letters=tuple(
            _letter_facts(*letter) for letter in as_json(row["letters"]) or ()
        ),
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
