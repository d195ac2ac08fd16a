"""The days of an audit window that a report and its letters speak of (R21)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from controls.models import System
from evidence.models import ArtifactVersion, ContinuityLetter
from evidence.status.day_ranges import clip, count, subtract, united
from evidence.status.facts import ArtifactVersionFacts, LetterFacts
from evidence.status.reports import asserted_days, spoken_days

Days = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class ReportDays:
    """The days of the audit window that a report and its letters speak of."""

    version: ArtifactVersion
    audited: tuple[Days, ...]
    asserted: tuple[Days, ...]
    left: tuple[Days, ...]
    is_this: bool = True

    @property
    def sentence(self) -> str:
        """How many days of the window there are of each kind."""
        return (
            f"{count(self.audited)} audited, {count(self.asserted)} asserted,"
            f" {count(self.left)} not covered by it"
        )

    @property
    def ranges(self) -> list[tuple[str, str, dt.date, dt.date]]:
        """For a picture: code, title, first and last day."""
        kinds = (
            ("audited", "Audited", self.audited),
            ("asserted", "Asserted", self.asserted),
            ("open", "Not covered by it", self.left),
        )
        return [
            (code, title, first, last)
            for code, title, days in kinds
            for first, last in days
        ]


def report_days(
    version: ArtifactVersion, system: System, letters: Iterable[ContinuityLetter]
) -> ReportDays:
    """Its days in the audit window, as if it and these letters were relied on."""
    facts = _facts(version, system, letters)
    first, last = system.window_start, system.window_end
    spoken = [] if version.state == "withdrawn" else [spoken_days(facts)]
    words = asserted_days(facts) if version.state != "withdrawn" else None
    own = version.artifact.kind == "assessment"
    audited = [] if own else united(clip(spoken, first, last))
    asserted = subtract(clip([words] if words else [], first, last), audited)
    left = subtract(subtract([(first, last)], audited), asserted)
    return ReportDays(version, tuple(audited), tuple(asserted), tuple(left))


def _facts(
    version: ArtifactVersion, system: System, letters: Iterable[ContinuityLetter]
) -> ArtifactVersionFacts:
    """The report as the rules of days read it, relied on with these letters."""
    artifact = version.artifact
    ended = version.state in {"revoked", "withdrawn"}
    return ArtifactVersionFacts(
        uuid=str(version.uuid),
        artifact=artifact.title,
        series=artifact.series,
        kind=artifact.kind,  # type: ignore[arg-type]
        label=version.label,
        starts=version.starts,
        ends=version.last_day,
        scheme=artifact.scheme,
        type1=artifact.type1,
        responsibility_summary=artifact.responsibility_summary,
        state=version.state if ended else "active",  # type: ignore[arg-type]
        revoked_on=version.ended_on if ended else None,
        opinion=version.opinion,
        impact_level=version.impact_level,
        partition=version.partition,
        services_in_scope=frozenset(version.service_slugs),
        regions_in_scope=frozenset(version.regions),
        reliance="rely",
        letters=tuple(
            LetterFacts(
                issued_on=letter.issued_on,
                starts=letter.starts,
                ends=letter.last_day,
                state="accepted",
                max_months=system.letter_months,
            )
            for letter in letters
        ),
        exceptions_open=0,
        exceptions_answered=0,
        provider=artifact.provider_slug,
        sites_in_scope=frozenset(version.sites),
        citation="accepted",
        carved_out=(),
    )
