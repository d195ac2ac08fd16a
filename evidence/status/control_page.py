"""What the control page shows beside the verdict: timelines, requirements, evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from controls.service_names import component_name
from evidence.charts import DAY, Stretch, months, stretches
from evidence.status.clocks import Clocks
from evidence.status.control_status import ControlStatus
from evidence.status.coverage import NeedDays
from evidence.status.facts import ArtifactVersionFacts, RequirementFacts
from evidence.status.occurrence_results import OccurrenceResult
from evidence.status.our_half import requirement_state
from evidence.status.reasons import Reason
from evidence.status.rows import read_rows

COVERAGE = {
    "audited": "Audited",
    "asserted": "Asserted",
    "awaited": "Awaited",
    "open": "Open",
}
RECENT = 10
YEAR = dt.timedelta(days=366)
Names = Mapping[str, str]  # display names by slug: controls.service_names


@dataclass(frozen=True)
class Timeline:
    """Stretches over the audit window, with the months as ticks."""

    title: str
    stretches: list[Stretch]
    months: list[tuple[float, str]]
    today: float | None = None


@dataclass(frozen=True)
class ServiceDays:
    """Needed services that share their days in the window."""

    names: tuple[str, ...]
    days: NeedDays
    timeline: Timeline


@dataclass(frozen=True)
class BasisGroup:
    """Components of which one party runs the same layer, for the same reason."""

    layer: str
    party: str
    kind: str
    source: str
    components: tuple[str, ...]


def basis_groups(basis: Iterable[Mapping[str, Any]], names: Names) -> list[BasisGroup]:
    """The rows of a basis with equal layer, party, kind and source made one."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for row in basis:
        key = (row["layer"], row["party"], row["kind"], row["source"])
        name = component_name(names, row["component"], row["variant"])
        groups.setdefault(key, []).append(name)
    return [BasisGroup(*key, tuple(shown)) for key, shown in groups.items()]


def duties(
    basis: Iterable[Mapping[str, Any]], names: Names, *, ours: bool
) -> list[tuple[list[str], tuple[str, ...]]]:
    """Layers and their components, of our side or of the providers'.

    Layers of the same components stand together, so that these are named once.
    """
    by_layer: dict[str, list[str]] = {}
    for row in basis:
        if (row["party"] == "customer") == ours:
            third = " (third party)" if row["party"] == "third-party" else ""
            how = f", {row['kind']}" if ours else ""
            name = component_name(names, row["component"], row["variant"])
            by_layer.setdefault(f"{row['layer']}{how}", []).append(name + third)
    by_names: dict[tuple[str, ...], list[str]] = {}
    for layer, shown in by_layer.items():
        by_names.setdefault(tuple(dict.fromkeys(shown)), []).append(layer)
    return [(layers, shown) for shown, layers in by_names.items()]


@dataclass(frozen=True)
class RequirementShown:
    """One requirement with its state today and its occurrences in the window."""

    facts: RequirementFacts
    state: str
    reasons: tuple[Reason, ...]
    ends: dt.date | None
    next_due: dt.date | None
    results: tuple[OccurrenceResult, ...]


def touches(version: ArtifactVersionFacts, first: dt.date, last: dt.date) -> bool:
    """Whether a report or a letter to it speaks of a day from `first` to `last`.

    What has a date alone is relied on for twelve months from it (R20).
    """
    ends = [letter.ends for letter in version.letters]
    if version.kind in ("point", "assessment"):
        ends.append(version.starts + YEAR)
    elif version.ends is None:
        return version.starts <= last
    else:
        ends.append(version.ends)
    return version.starts <= last and max(ends) >= first


def aws_days(answer: ControlStatus, clocks: Clocks, names: Names) -> list[ServiceDays]:
    """Providers' days over the audit window, services with equal days together.

    The group with most open days comes first.
    """
    if answer.period is None:
        return []
    groups: dict[Any, list[NeedDays]] = {}
    for service in answer.period.aws_days.services:
        key = (
            service.provider,
            service.sites,
            service.scope,
            *(getattr(service, f"{code}_ranges") for code in COVERAGE),
        )
        groups.setdefault(key, []).append(service)
    worst_first = sorted(groups.values(), key=lambda g: (-g[0].open_days, g[0].slug))
    return [_of_services(group, clocks, names) for group in worst_first]


def _of_services(group: list[NeedDays], clocks: Clocks, names: Names) -> ServiceDays:
    shown = tuple(sorted({_need_name(need, names) for need in group}))
    ranges = [
        (code, title, first, last)
        for code, title in COVERAGE.items()
        for first, last in getattr(group[0], f"{code}_ranges")
    ]
    title = f"{group[0].provider_name}: days of {', '.join(shown)}"
    timeline = timeline_of(title, ranges, clocks)
    return ServiceDays(shown, group[0], timeline)


def _need_name(need: NeedDays, names: Names) -> str:
    return ", ".join((names.get(need.slug, need.slug), *need.sites))


def timeline_of(title: str, ranges: list[Any], clocks: Clocks) -> Timeline:
    """Ranges (code, title, first, last day) over the window, with its months."""
    window = clocks.window
    here = stretches(window, [("today", "", clocks.moment.on, clocks.moment.on)])
    today = here[0].x if here else None
    return Timeline(title, stretches(window, ranges), months(window), today)


def our_requirements(answer: ControlStatus, clocks: Clocks) -> list[RequirementShown]:
    """Each requirement of our half in operation that day."""
    results = answer.period.occurrences.results if answer.period else ()
    return [
        _requirement(
            requirement,
            tuple(r for r in results if r.requirement == requirement.uuid),
            clocks,
        )
        for requirement in answer.facts.requirements
    ]


def _requirement(
    requirement: RequirementFacts, results: tuple[OccurrenceResult, ...], clocks: Clocks
) -> RequirementShown:
    judged = requirement_state(requirement, clocks.moment.on)
    waiting = [r.due_on for r in results if r.outcome == "not_yet_due"]
    return RequirementShown(
        facts=requirement,
        state=judged.state,
        reasons=judged.reasons,
        ends=judged.until,
        next_due=min(waiting, default=None),
        results=results,
    )


M = TypeVar("M", bound=Model)


def as_known(rows: QuerySet[M], known_at: dt.datetime | None) -> list[M]:
    """The rows as they were known before an instant, newest first; None: now."""
    if known_at is None:
        return list(rows.order_by("-pk"))
    table = rows.model._meta.db_table
    numbers = list(rows.values_list("pk", flat=True))
    return list(
        rows.model._default_manager.raw(
            f"SELECT * FROM {table}_versions"  # noqa: S608 - our own table name
            " WHERE id = ANY(%s) AND known_from < %s"
            " AND (known_until IS NULL OR known_until >= %s) ORDER BY id DESC",
            [numbers, known_at, known_at],
        )
    )


EVIDENCE = """
SELECT e.uuid, e.title, p.state, p.starts, p.ends, rev.performed_on,
       rev.period_from, rev.period_until, rev.collected_on, rev.digest,
       u.name AS uploader, u.email,
       r.reviewer_name AS reviewer, r.reason AS review_reason, q.title AS requirement
  FROM evidence_proof p
  JOIN evidence_evidencelink l ON l.id = p.link_id
  JOIN evidence_evidencerevision rev ON rev.id = l.revision_id
  JOIN {evidence} e ON e.id = rev.evidence_id
  JOIN controls_user u ON u.id = rev.uploaded_by_id
  LEFT JOIN {requirement} q ON q.id = p.requirement_id
  LEFT JOIN LATERAL (
    SELECT reviewer_name, reason FROM evidence_review r
     WHERE r.link_id = l.id AND {before} ORDER BY r.id DESC LIMIT 1) r ON TRUE
 WHERE p.implementation_id = %(implementation)s AND p.starts <= %(day)s
   AND {holding} AND {proof_standing}
 ORDER BY rev.performed_on DESC, l.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True)
class EvidenceShown:
    """One evidence offered for the control, as known at the moment. Days inclusive."""

    uuid: Any
    title: str
    state: str
    requirement: str
    performed_on: dt.date
    period_start: dt.date
    period_end: dt.date
    digest: str
    uploader: str
    reviewer: str
    review_reason: str


def latest_evidence(implementation: int, clocks: Clocks) -> list[EvidenceShown]:
    """The newest evidence of a control, by the day it was performed."""
    return list(_evidence(implementation, clocks))


def _evidence(implementation: int, clocks: Clocks) -> Iterator[EvidenceShown]:
    rows = read_rows(
        EVIDENCE, clocks.moment, implementation=implementation, limit=RECENT
    )
    for row in rows:
        yield EvidenceShown(
            uuid=row["uuid"],
            title=row["title"],
            state=row["state"],
            requirement=row["requirement"] or "",
            performed_on=row["performed_on"],
            period_start=row["period_from"],
            period_end=row["period_until"] - DAY,
            digest=row["digest"],
            uploader=row["uploader"] or row["email"],
            reviewer=row["reviewer"] or "",
            review_reason=row["review_reason"] or "",
        )
