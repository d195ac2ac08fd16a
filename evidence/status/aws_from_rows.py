"""The providers' side of one system, made from rows: components, reports, letters.

One file: needs and reports of a control are matched by the same keys.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.text import slugify

from evidence.status.day_ranges import Days
from evidence.status.facts import (
    AWS,
    ArtifactVersionFacts,
    AwsFacts,
    LetterFacts,
    NeededService,
)
from evidence.status.remarks_from_rows import (
    RemarksOfReports,
    UserControl,
    carved_out,
    needs_carved_out,
)
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


# What an override names, and from which day until which (exclusive) it does.
NamedSource = tuple[str, dt.date, dt.date]
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
            version = _version_facts(row, read.system["letter_months"])
            self.versions[row["artifact_id"]].append(version)
        remarks = RemarksOfReports(read.versions)
        self.exceptions, self.touched = remarks.exceptions, remarks.touched
        self.user_controls, self.expected = remarks.user_controls, remarks.expected
        self.titles = {row["series"]: row["title"] for row in read.versions}
        self.memo: dict[Any, AwsFacts] = {}
        self.waiting: dict[int, list[ArtifactVersionFacts]] = {}

    def cited(self, control: int) -> tuple[int, ...]:
        """Artifacts cited for a control."""
        cited = self.citations.get(control)
        return tuple([artifact for artifact, _ in cited]) if cited else ()

    def expected_of_us(self, control: int, ref_id: str) -> set[UserControl]:
        """What reports cited for a control, and relied on, expect of us there."""
        if not self.expected:
            return set()
        return {
            (artifact, title)
            for artifact in self.cited(control)
            for title, controls in self.expected.get(artifact, ())
            if ref_id in controls
        }

    def facts(
        self,
        control: int,
        digests: frozenset[str],
        ref_id: str,
        named: frozenset[NamedSource] = frozenset(),
    ) -> AwsFacts:
        """The providers' side of a control whose class rested on these bases.

        `named` are what overrides say that AWS's half is needed from, with their days.
        """
        touched = ref_id if ref_id in self.touched else ""
        key = (digests, self.citations.get(control, ()), touched, named)
        if key not in self.memo:
            layers = frozenset().union(
                *(self.layers.get(d, frozenset()) for d in digests)
            )
            self.memo[key] = self._facts(layers, key[1], touched, named)
        return self.memo[key]

    def _facts(
        self,
        layers: frozenset[str],
        cited: Cited,
        ref_id: str,
        named: frozenset[NamedSource],
    ) -> AwsFacts:
        versions = tuple(
            self._touched(version, ref_id) if ref_id else version
            for artifact, accepted in cited
            for version in self._versions(artifact, accepted=accepted)
        )
        needed = self._needed(layers)
        needed += tuple(
            need
            for source in sorted(named)
            for need in self._named(*source)
            if need not in needed
        )
        return AwsFacts(
            needed=(*needed, *needs_carved_out(needed, versions)),
            versions=versions,
            regime=self.system["regime"],
            impact_level=self.system["impact_level"],
            partition=self.system["partition"],
            currency_days=self.system["currency_days"],
        )

    def _touched(
        self, version: ArtifactVersionFacts, ref_id: str
    ) -> ArtifactVersionFacts:
        """The version with its exceptions that touch one control, counted."""
        answered = [
            is_answered
            for controls, is_answered in self.exceptions.get(version.uuid, ())
            if ref_id in controls
        ]
        if not answered:
            return version
        return replace(
            version,
            exceptions_open=answered.count(False),
            exceptions_answered=answered.count(True),
        )

    def _named(
        self, source: str, starts: dt.date, until: dt.date
    ) -> Iterator[NeededService]:
        """What an override needs AWS's half from on days starts..until (exclusive)."""
        kind, _, name = source.partition(":")
        if kind == "report":
            yield NeededService(
                slug=self.titles.get(name, name),
                scope="document",
                used_from=starts,
                used_until=until if until < dt.date.max else None,
                is_global=True,
                regions=(),
                layers=(),
                provider=AWS,
                provider_name="AWS",
                sites=(),
            )
            return
        for component in self.components:
            days = _first_use(component, starts, until)
            if component["service"] == name and days:
                need = _needed_of_aws(component, "service", ("platform",))
                last = days[1] if days[1] < dt.date.max else None
                yield replace(need, used_from=days[0], used_until=last)

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


def _first_use(component: Row, starts: dt.date, until: dt.date) -> Days | None:
    """First and last day of a component's use within starts..until (exclusive)."""
    first = max(component["used_from"], starts)
    last = min(component["used_until"] or dt.date.max, until)
    return (first, last) if first < last else None


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


def _version_facts(row: Row, letter_months: int) -> ArtifactVersionFacts:
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
            _letter_facts(letter, letter_months)
            for letter in as_json(row["letters"]) or ()
        ),
        provider=row["provider_slug"],
        sites_in_scope=frozenset(row["sites"]),
        citation="accepted",
        exceptions_open=0,
        exceptions_answered=0,
        carved_out=carved_out(row),
    )


def _letter_facts(letter: Sequence[Any], max_months: int) -> LetterFacts:
    """A letter as it comes with its report: three days as text, and the state."""
    issued_on, starts, until, state = letter
    return LetterFacts(
        issued_on=dt.date.fromisoformat(issued_on),
        starts=dt.date.fromisoformat(starts),
        ends=dt.date.fromisoformat(until) - ONE_DAY,
        state=state,
        max_months=max_months,
    )
