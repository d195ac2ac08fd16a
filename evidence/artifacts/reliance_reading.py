"""What a reviewer reads of one report for one system, before saying whether to rely.

Scope line by line against what is in use (R23), days against the audit window (R21),
what the report says that we have to answer (R20, R24), and what changed since the last
review of the series. It reads; `reliance.py` records.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from controls.models import System
from controls.service_names import display_names
from evidence.artifacts.letters import letter_standings
from evidence.artifacts.reliance_days import ReportDays, report_days
from evidence.artifacts.reliance_scope import EVERYTHING, ScopeLine, scope_lines
from evidence.artifacts.remark_answers import RemarkStanding, remark_standings
from evidence.models import (
    ArtifactVersion,
    ContinuityLetter,
    RelianceConclusion,
    RelianceReview,
    RemarkKind,
    ReportRemark,
)

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class ReportReading:
    """All that stands on the page; `digest` tells whether it is still the same."""

    lines: list[ScopeLine]
    days: list[ReportDays]
    standings: list[RemarkStanding]
    last: RelianceReview | None
    changes: dict[str, list[str]] = field(default_factory=dict)
    digest: str = ""

    @property
    def gaps(self) -> list[ScopeLine]:
        """What is in use and the report does not speak of."""
        return [line for line in self.lines if not line.fits]

    @property
    def answered(self) -> list[RemarkStanding]:
        """Exceptions and carve-outs."""
        kinds = {RemarkKind.EXCEPTION, RemarkKind.SUBSERVICE}
        return [row for row in self.standings if row.remark.kind in kinds]

    @property
    def expected(self) -> list[ReportRemark]:
        """Complementary user entity controls."""
        rows = [row.remark for row in self.standings]
        return [row for row in rows if row.kind == RemarkKind.USER_CONTROL]


DO_NOT_RELY = RelianceConclusion.DO_NOT_RELY


def reading_of(system: System, version: ArtifactVersion) -> ReportReading:
    """What is to be read. A constant number of statements."""
    last = last_review(system, version)
    versions = {version.pk, *_relied_on(system, version)}
    rows = ArtifactVersion.objects.filter(pk__in=versions).select_related("artifact")
    by_pk = {row.pk: row for row in rows}
    letters = _letters(by_pk, system)
    days = [
        report_days(by_pk[pk], system, letters.get(pk, ()))
        for pk in sorted(by_pk, key=lambda pk: (by_pk[pk].starts, pk))
    ]
    remarks = list(
        ReportRemark.objects.filter(
            artifact_version__in={
                version.pk,
                last.artifact_version_id if last else version.pk,
            }
        ).for_listing()
    )
    mine = [row for row in remarks if row.artifact_version_id == version.pk]
    lines = scope_lines(system, version)
    standings = remark_standings(mine, [system])
    return ReportReading(
        lines=lines,
        days=[
            replace(row, is_this=row.version == version)
            for row in days
            if row.version == version or row.audited or row.asserted
        ],
        standings=standings,
        last=last,
        changes=_changes(system, version, last, remarks, by_pk) if last else {},
        digest=_digest(version, lines, standings, last),
    )


def last_review(system: System, version: ArtifactVersion) -> RelianceReview | None:
    """The newest review of this report, else of the one before it in its series."""
    rows = RelianceReview.objects.filter(
        system=system,
        artifact_version__artifact=version.artifact_id,
        artifact_version__starts__lte=version.starts,
    ).select_related("artifact_version__artifact", "reviewer")
    return rows.order_by("-artifact_version__starts", "-pk").first()


def _relied_on(system: System, version: ArtifactVersion) -> set[int]:
    """Keys of the other reports of the series that the system relies on."""
    newest: dict[int, str] = {}
    rows = RelianceReview.objects.filter(
        system=system, artifact_version__artifact=version.artifact_id
    ).order_by("pk")
    for pk, conclusion in rows.values_list("artifact_version_id", "conclusion"):
        newest[pk] = conclusion
    return {pk for pk, conclusion in newest.items() if conclusion != DO_NOT_RELY}


def _letters(
    versions: Iterable[int], system: System
) -> dict[int, list[ContinuityLetter]]:
    """Letters of each report that nobody rejected here."""
    rows = ContinuityLetter.objects.filter(artifact_version__in=list(versions))
    by_version: dict[int, list[ContinuityLetter]] = {}
    for standing in letter_standings(rows, [system]):
        if standing.state != "rejected":
            key = standing.letter.artifact_version_id
            by_version.setdefault(key, []).append(standing.letter)
    return by_version


def _changes(
    system: System,
    version: ArtifactVersion,
    last: RelianceReview,
    remarks: list[ReportRemark],
    by_pk: dict[int, ArtifactVersion],
) -> dict[str, list[str]]:
    """Sentences by part of the page: scope, period, exceptions, cuec."""
    before = by_pk.get(last.artifact_version_id) or last.artifact_version
    changes: dict[str, list[str]] = {name: [] for name in PARTS}
    names = display_names()
    services = (
        [names.get(slug, slug) for slug in report.service_slugs]
        for report in (version, before)
    )
    for what, now, then in (
        ("services", *services),
        ("regions", version.regions, before.regions),
        ("sites", version.sites, before.sites),
    ):
        changes["scope"] += _differences(f"the report's {what}", then, now)
    for component in system.components.select_related("variant__service"):
        if component.used_from > last.reviewed_on:
            day = component.used_from
            changes["scope"].append(f"{component} is in use since {day}.")
        elif component.used_until and component.used_until > last.reviewed_on:
            day = component.used_until - ONE_DAY
            changes["scope"].append(f"{component} was in use until {day}.")
    if _period(before) != _period(version):
        changes["period"].append(
            f"The period was {_period(before)}; it is {_period(version)}."
        )
    changes["period"] += [
        f"The letter of {letter.issued_on} came since."
        for letter in version.letters.all()
        if letter.known_from > last.known_from
    ]
    if _words(before.opinion) != _words(version.opinion):
        changes["exceptions"].append(
            f"The opinion was “{before.opinion or 'not said'}”; it is"
            f" “{version.opinion or 'not said'}”."
        )
    for part, kinds in (
        ("exceptions", (RemarkKind.EXCEPTION, RemarkKind.SUBSERVICE)),
        ("cuec", (RemarkKind.USER_CONTROL,)),
    ):
        changes[part] += _remark_changes(version, before, last, remarks, kinds)
    return changes


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()


def _period(version: ArtifactVersion) -> str:
    return f"{version.starts} to {version.last_day or 'no set end'}"


PARTS = ("scope", "period", "exceptions", "cuec")


def _remark_changes(
    version: ArtifactVersion,
    before: ArtifactVersion,
    last: RelianceReview,
    remarks: list[ReportRemark],
    kinds: tuple[RemarkKind, ...],
) -> list[str]:
    of_kind = [row for row in remarks if row.kind in kinds]
    now = {row.title for row in of_kind if row.artifact_version_id == version.pk}
    if before.pk == version.pk:
        return [
            f"New: {row.title}." for row in of_kind if row.known_from > last.known_from
        ]
    then = {row.title for row in of_kind if row.artifact_version_id == before.pk}
    new = [f"New: {title}." for title in sorted(now - then)]
    return new + [f"No longer: {title}." for title in sorted(then - now)]


def _differences(what: str, then: Iterable[str], now: Iterable[str]) -> list[str]:
    now, then = set(now), set(then)
    if now == then:
        return []
    if EVERYTHING in now:  # nothing is gone where all of them are in it
        return [f"All of them are in {what} now."]
    if EVERYTHING in then:
        named = ", ".join(sorted(now)) or "none"
        return [f"No longer all of them are in {what}: {named}."]
    added, gone = sorted(now - then), sorted(then - now)
    texts = []
    if added:
        texts.append(f"Added to {what}: {', '.join(added)}.")
    if gone:
        texts.append(f"Gone from {what}: {', '.join(gone)}.")
    return texts


def _digest(
    version: ArtifactVersion,
    lines: list[ScopeLine],
    standings: list[RemarkStanding],
    last: RelianceReview | None,
) -> str:
    """Of what was shown: another one means that somebody changed it meanwhile."""
    shown = [
        [version.pk, version.version, version.state, version.opinion],
        [[line.name, line.place, str(line.last), line.code] for line in lines],
        [[row.remark.pk, row.accepted.pk if row.accepted else 0] for row in standings],
        last.pk if last else 0,
    ]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
