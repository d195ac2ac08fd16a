"""Facts for one or many controls of a system, in a constant number of statements."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection

from controls.models import System
from controls.models.systems import worst_of
from controls.responsibility.rulings import PARTIES
from evidence.status import gather_sql
from evidence.status.facts import (
    ApplicabilityFacts,
    ArtifactVersionFacts,
    AwsFacts,
    ControlFacts,
    LetterFacts,
    LinkFacts,
    NeededService,
    PeriodFacts,
    PopulationFacts,
    RequirementFacts,
    RequirementHistory,
    RequirementTerms,
    not_gathered,
)
from evidence.status.window import asked_periods

REGION_LAYERS = frozenset({"facilities", "hardware", "network"})
NO_END = dt.date(9999, 12, 31)
ONE_DAY = dt.timedelta(days=1)
# Of controls that nobody has called otherwise.
APPLICABLE = ApplicabilityFacts(
    requested=False, approved=False, basis_changed=False, review_by=None
)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """What an answer is about and how much is known.

    `known_at` is exclusive; None means all that is recorded now.
    """

    on: dt.date
    known_at: dt.datetime | None = None


@dataclass
class Gathered:
    """Facts of the controls asked for, and the rows they were made from."""

    system: Row
    rows: dict[int, Row]
    facts: dict[int, ControlFacts]
    bases: dict[str, Any]
    artifacts: dict[int, tuple[int, ...]] = field(default_factory=dict)


def implementations(system: System, moment: Moment) -> list[Row]:
    """The rows of all controls without their proof, in catalog order. One statement."""
    return _Reader(system, [], moment).all(gather_sql.IMPLEMENTATIONS_OF_SYSTEM)


def gather(
    system: System,
    pks: Iterable[int],
    moment: Moment,
    *,
    known: Iterable[Row] | None = None,
) -> Gathered:
    """Facts about the implementations `pks`, for `status`. At most eight statements,
    and one more where something is asked per event.

    `known` are their rows where the caller has read them already. Raises LookupError
    when the system was not recorded by the moment.
    """
    reader = _Reader(system, list(pks), moment)
    about = _about(reader, system)
    read = reader.all(gather_sql.IMPLEMENTATIONS) if known is None else known
    rows = {row["id"]: row for row in read}
    bases = reader.bases({row["basis_id"] for row in rows.values()})
    requirements = reader.all(gather_sql.REQUIREMENTS)
    asked = _grouped(requirements, "implementation_id")
    events = _events(reader, requirements, dt.date.min, moment.on)
    extra = {
        row["implementation_id"]: row["links"]
        for row in reader.all(gather_sql.SUPPLEMENTARY)
    }
    aws = _AwsSide(reader, about, bases)
    facts = {
        pk: _control_facts(row, asked[pk], extra.get(pk, 0), aws, events)
        for pk, row in rows.items()
    }
    artifacts = {pk: aws.cited(row["control_id"]) for pk, row in rows.items()}
    return Gathered(about, rows, facts, bases, artifacts)


def gather_period(
    system: System,
    pks: Iterable[int],
    start: dt.date,
    end: dt.date,
    moment: Moment,
) -> dict[int, PeriodFacts]:
    """Facts about the same controls over the days start..end, for `period`."""
    reader = _Reader(system, list(pks), moment, start=start, end=end)
    about = _about(reader, system)
    rows = {row["id"]: row for row in reader.all(gather_sql.IMPLEMENTATIONS)}
    held = _grouped(reader.all(gather_sql.DECISIONS_OF_WINDOW), "implementation_id")
    bases = reader.bases(
        {row["basis_id"] for row in rows.values()}
        | {each["basis_id"] for decisions in held.values() for each in decisions}
    )
    requirements = reader.all(gather_sql.REQUIREMENTS_OF_WINDOW)
    asked = _grouped(requirements, "implementation_id")
    histories = {row["id"]: RequirementTerms(**_asked(row)) for row in requirements}
    links = _grouped(
        reader.all(gather_sql.LINKS_OF_WINDOW, **_parts(histories, start, end)),
        "requirement_id",
    )
    events = _events(reader, requirements, start, end)
    aws = _AwsSide(reader, about, bases)
    return {
        pk: _period_facts(
            row,
            held[pk],
            [
                RequirementHistory(
                    histories[each["id"]],
                    tuple(_link_facts(link) for link in links[each["id"]]),
                    tuple(events[each["id"]]),
                )
                for each in asked[pk]
            ],
            aws,
        )
        for pk, row in rows.items()
    }


class _Reader:
    """Runs the statements with one set of parameters."""

    def __init__(
        self, system: System, pks: list[int], moment: Moment, **days: dt.date
    ) -> None:
        self.as_known_then = moment.known_at is not None
        self.parameters: dict[str, Any] = {
            "system": system.pk,
            "implementations": f"{{{','.join(map(str, pks))}}}",  # read as bigint[]
            "day": moment.on,
            "known_at": moment.known_at,
            **days,
        }

    def all(self, statement: str, **more: Any) -> list[Row]:
        """Rows as mappings by column name."""
        spelled = gather_sql.spelled(statement, as_known_then=self.as_known_then)
        with connection.cursor() as cursor:
            cursor.execute(spelled, self.parameters | more)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, statement: str) -> Row:
        """The only row. Raises LookupError when the system was not known then."""
        rows = self.all(statement)
        if not rows:
            raise LookupError("The system was not recorded at that time.")
        return rows[0]

    def bases(self, digests: set[str | None]) -> dict[str, Any]:
        """Bodies of the bases by digest."""
        wanted = [digest for digest in digests if digest]
        found = self.all(gather_sql.BASES, digests=wanted)
        return {row["digest"]: _as_json(row["body"]) for row in found}


def _about(reader: _Reader, system: System) -> Row:
    """What artifacts are judged against: the system now, or as it was known then."""
    return reader.one(gather_sql.SYSTEM) if reader.as_known_then else vars(system)


def _as_json(value: Any) -> Any:
    """jsonb of a raw cursor as data: Django leaves it as text."""
    return json.loads(value) if isinstance(value, str) else value


def _grouped(rows: Iterable[Row], key: str) -> defaultdict[Any, list[Row]]:
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def aws_layers(basis: Any) -> frozenset[str]:
    """Layers that AWS runs according to a basis, with components: `layer/slug`."""
    return frozenset(
        f"{row['layer']}/{row['component']}" for row in basis if row["party"] == "aws"
    )


class _AwsSide:
    """AWS's facts: versions loaded once, one object per distinct question."""

    def __init__(self, reader: _Reader, about: Row, bases: dict[str, Any]) -> None:
        self.about = about
        self.layers = {digest: aws_layers(body) for digest, body in bases.items()}
        self.components = reader.all(gather_sql.COMPONENTS)
        self.coverage = {
            row["control_id"]: tuple(row["artifacts"])
            for row in reader.all(gather_sql.COVERAGE)
        }
        self.versions = _grouped(
            reader.all(gather_sql.ARTIFACT_VERSIONS), "artifact_id"
        )
        self.spoken = {
            row["id"]: _version_facts(row)
            for rows in self.versions.values()
            for row in rows
        }
        self.memo: dict[Any, AwsFacts] = {}

    def cited(self, control: int) -> tuple[int, ...]:
        """Artifacts cited for a control."""
        return self.coverage.get(control, ())

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
                self.spoken[row["id"]]
                for artifact in cited
                for row in self.versions[artifact]
            ),
            regime=self.about["regime"],
            impact_level=self.about["impact_level"],
            partition=self.about["partition"],
            currency_days=self.about["currency_days"],
        )

    def _needed(self, layers: frozenset[str]) -> tuple[NeededService, ...]:
        """One entry per use of a service and scope, in a fixed order."""
        by_service: dict[str, set[str]] = defaultdict(set)
        for layer_of in layers:
            layer, _, service = layer_of.partition("/")
            by_service[service].add(layer)
        found = {
            _needed_service(component, scope, said)
            for component in self.components
            for scope, said in _scopes(by_service.get(component["service"], set()))
        }
        return tuple(sorted(found, key=lambda n: (n.slug, n.scope, n.used_from)))


def _scopes(layers: set[str]) -> list[tuple[str, tuple[str, ...]]]:
    by_region = tuple(sorted(layers & REGION_LAYERS))
    by_service = tuple(sorted(layers - REGION_LAYERS))
    return [
        (scope, said)
        for scope, said in (("region", by_region), ("service", by_service))
        if said
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
            _letter_facts(*letter) for letter in _as_json(row["letters"]) or ()
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


def _parties(row: Row) -> frozenset[str]:
    return PARTIES.get(row["responsibility"] or "unclassified", frozenset())


def _applicability(row: Row) -> ApplicabilityFacts:
    if row["na_state"] is None:
        return APPLICABLE
    approved = row["na_state"] == "approved"
    return ApplicabilityFacts(
        requested=row["na_state"] == "requested",
        approved=approved,
        basis_changed=approved and row["na_basis"] != row["basis_id"],
        review_by=row["na_review_by"],
    )


def _control_facts(
    row: Row,
    asked: list[Row],
    supplementary: int,
    aws: _AwsSide,
    events: Mapping[int, list[PopulationFacts]],
) -> ControlFacts:
    parties = _parties(row)
    parts = {} if row["part_statuses"] == "{}" else _as_json(row["part_statuses"])
    return ControlFacts(
        control_id=row["ref_id"],
        responsibility=row["responsibility"] or "unclassified",
        aws_required="aws" in parties,
        customer_required="customer" in parties,
        override_expired=row["source"] == "override-expired",
        implementation_status=row["implementation_status"],
        worst_part=worst_of(parts.values()) if parts else None,
        applicability=_applicability(row),
        requirements=tuple(
            _requirement_facts(each, events.get(each["id"], ())) for each in asked
        ),
        aws=aws.facts(row["control_id"], frozenset({row["basis_id"] or ""}))
        if "aws" in parties
        else None,
        supplementary=supplementary,
        **not_gathered(ControlFacts),
    )


def _asked(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "title": row["title"],
        "cadence": row["cadence"],
        "operates_from": row["operates_from"],
        "operates_until": row["operates_until"],
        "purpose": row["purpose"],
        "grace_days": row["grace_days"],
        "lead_days": row["lead_days"],
    }


def _requirement_facts(row: Row, events: Sequence[PopulationFacts]) -> RequirementFacts:
    return RequirementFacts(
        **_asked(row),
        latest_accepted=_link_facts(row) if row["link_id"] else None,
        submitted=row["submitted"] or 0,
        newer_rejected=bool(row["newer_rejected"]),
        population=counting(events),
    )


def asks_per_event(requirements: Iterable[Row]) -> bool:
    """Whether populations have to be read at all."""
    return any(row["cadence"] == "per-event" for row in requirements)


def _events(
    reader: _Reader, requirements: list[Row], begins: dt.date, until: dt.date
) -> Mapping[int, list[PopulationFacts]]:
    """Populations by requirement, oldest first; asked for where there may be any."""
    rows: list[Row] = []
    if asks_per_event(requirements):
        rows = reader.all(gather_sql.POPULATIONS, begins=begins, until=until)
    return populations(requirements, rows)


def populations(
    requirements: Iterable[Row], rows: Iterable[Row]
) -> Mapping[int, list[PopulationFacts]]:
    """Rows of populations as facts, of requirements that ask per event by then."""
    asking = {each["id"] for each in requirements if each["cadence"] == "per-event"}
    found: defaultdict[int, list[PopulationFacts]] = defaultdict(list)
    for row in rows:
        if row["requirement_id"] in asking:
            found[row["requirement_id"]].append(_population_facts(row))
    return found


def _population_facts(row: Row) -> PopulationFacts:
    return PopulationFacts(
        starts=row["starts"],
        ends=row["ends"],
        rows=row["rows"],
        state=row["state"],
        sample=row["items"] if row["sampled_on"] else None,
        proven=row["proven"],
        waiting=row["waiting"],
        deviations=row["deviations"],
        open=row["still_open"],
        newer=None,
        sampled_on=row["sampled_on"],
        drawn_on=row["drawn_on"],
        uuid=str(row["uuid"]),
    )


def counting(events: Sequence[PopulationFacts]) -> PopulationFacts | None:
    """The newest accepted population, else the newest; `events` are oldest first."""
    accepted = [each for each in events if each.state == "accepted"]
    if not accepted:
        return events[-1] if events else None
    newest = events[-1].state
    return replace(accepted[-1], newer=None if newest == "accepted" else newest)


def _link_facts(row: Row) -> LinkFacts:
    return LinkFacts(
        link=row["link"],
        evidence=row["evidence"],
        performed_on=row["starts"],
        ends=None if row["ends"] == NO_END else row["ends"],
        occurrence=row["occurrence"],
        collected_on=row["collected_on"],
        title=row["evidence_title"],
    )


def _parts(
    asked: Mapping[int, RequirementTerms], start: dt.date, end: dt.date
) -> dict[str, list[Any]]:
    """The periods that ask for one performance each, as four arrays."""
    parts = [
        (pk, part)
        for pk, requirement in asked.items()
        for part in asked_periods(requirement, start, end)
    ]
    return {
        "asked": [pk for pk, _ in parts],
        "occurrences": [part.occurrence for _, part in parts],
        "begins": [part.begins for _, part in parts],
        "ends": [part.ends for _, part in parts],
    }


def _period_facts(
    row: Row, held: list[Row], asked: list[RequirementHistory], aws: _AwsSide
) -> PeriodFacts:
    parties = frozenset().union(*(_parties(each) for each in held))
    digests = frozenset(each["basis_id"] for each in held)
    return PeriodFacts(
        control_id=row["ref_id"],
        responsibility=row["responsibility"] or "unclassified",
        aws_required="aws" in parties,
        customer_required="customer" in parties or not held,
        applicability=_applicability(row),
        requirements=tuple(asked),
        aws=aws.facts(row["control_id"], digests) if "aws" in parties else None,
    )
