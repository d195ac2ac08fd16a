"""One series of reports for one need of a provider: its state on a day, and why. Pure.

Days are inclusive. Source: rules R20 to R25.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from evidence.status.cadence import EXPIRING_DAYS
from evidence.status.day_ranges import DAY
from evidence.status.facts import (
    EVERYTHING,
    ArtifactVersionFacts,
    AwsFacts,
    NeededService,
)
from evidence.status.half import HalfResult
from evidence.status.reasons import Reason, reason_for
from evidence.status.reports import (
    FAR,
    RELIED_ON,
    end_of,
    ends_currency,
    gap_in_scope,
    layers_run,
    letter_end,
    named,
    series_current_to,
    unfit_for,
)

# Said of the newest report of a series where another one proves the half, too.
NEWEST_COUNTS_NOT = frozenset({"not_relied_on", "report_withdrawn"})
# Notes said of a half that is proven, too.
KEPT = NEWEST_COUNTS_NOT | {
    "newer_version_unreviewed",
    "service_not_listed",
    "letter_beyond_issue",
    "letter_pending",
    "exception_answered",
}


def judge_cited(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> HalfResult:
    """One series for one need: its newest relied version in scope decides."""
    started = [v for v in versions if v.starts <= day]
    gaps: list[Reason] = []
    fit: list[ArtifactVersionFacts] = []
    for version in sorted(started, key=end_of):
        why = unfit_for(version, need, aws) or gap_in_scope(version, need, aws.regime)
        if why:
            gaps.append(why)
        else:
            fit.append(version)
    relied = [v for v in fit if v.reliance in RELIED_ON]
    if not relied:
        refused = [
            v
            for v in sorted(started, key=end_of)
            if v.reliance == "do-not-rely" and v.state != "withdrawn"
        ]
        return _without_reliance(need, fit, refused, gaps)
    newest = relied[-1]  # as `counted_report` says
    unread = [v for v in fit if v.reliance is None and end_of(v) > end_of(newest)]
    notes = [reason_for("newer_version_unreviewed", v.label) for v in unread]
    notes += _newest_counts_not(need, newest, started)
    notes += _notes_of(newest, need)
    until = series_current_to(relied, [v for v in started if ends_currency(v)], aws)
    return _currency(newest, until, need, day, [*gaps[-1:], *notes])


def counted_report(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> ArtifactVersionFacts | None:
    """The version of a series that is looked at for a need: the newest in scope that is
    relied on; None where there is none."""
    relied = [
        version
        for version in versions
        if version.starts <= day
        and version.reliance in RELIED_ON
        and not unfit_for(version, need, aws)
        and not gap_in_scope(version, need, aws.regime)
    ]
    return max(relied, key=end_of, default=None)


def _newest_counts_not(
    need: NeededService,
    counted: ArtifactVersionFacts,
    started: Sequence[ArtifactVersionFacts],
) -> list[Reason]:
    """That the series' newest report is not relied on where an older one is counted; of
    a withdrawn one `unfit_for` says so."""
    newest = max(started, key=end_of)
    is_refused = newest.reliance == "do-not-rely" and newest.state != "withdrawn"
    if not is_refused or end_of(newest) <= end_of(counted):
        return []
    return [reason_for("not_relied_on", named(newest, need.provider_name))]


def _notes_of(version: ArtifactVersionFacts, need: NeededService) -> list[Reason]:
    """What stays visible of a version that counts (R21, R23, R24)."""
    notes = []
    slugs = version.services_in_scope
    if (
        need.scope in {"service", "region"}
        and slugs != EVERYTHING
        and need.slug not in slugs
    ):
        notes.append(
            reason_for("service_not_listed", need.slug, artifact=version.artifact)
        )
    name = named(version, need.provider_name)
    for letter in version.letters:
        counted = letter_end(version.ends or letter.ends, letter)
        if letter.state == "waiting":
            notes.append(reason_for("letter_pending", name, ends=counted))
        elif letter.state == "accepted" and letter.ends > counted:
            notes.append(reason_for("letter_beyond_issue", ends=counted))
    if version.exceptions_answered:
        notes.append(reason_for("exception_answered", name))
    return notes


def _without_reliance(
    need: NeededService,
    fit: Sequence[ArtifactVersionFacts],
    refused: Sequence[ArtifactVersionFacts],
    gaps: Sequence[Reason],
) -> HalfResult:
    """No version counts: one in scope waits to be read, or none does."""
    failing = [*gaps[-1:]]
    if refused:
        name = named(refused[-1], need.provider_name)
        failing.insert(0, reason_for("not_relied_on", name))
    unread = [version for version in fit if version.reliance is None]
    if unread:
        name = named(unread[-1], need.provider_name)
        why = reason_for("reliance_pending", name)
        return HalfResult("pending", None, (why, *failing))
    none = reason_for("no_artifact", need.provider_name)
    return HalfResult("missing", None, tuple(failing) or (none,))


def _currency(
    version: ArtifactVersionFacts,
    until: dt.date,
    need: NeededService,
    day: dt.date,
    notes: list[Reason],
) -> HalfResult:
    """Current, about to end, or lapsed; `notes` explain why nothing newer counts."""
    name = named(version, need.provider_name)
    waits = [
        reason_for("subservice_undecided", name, organisation=organisation.name)
        for organisation in version.carved_out
        if organisation.standing == "waiting" and layers_run(organisation, need)
    ]
    if version.exceptions_open:
        waits.insert(0, reason_for("exception_unanswered", name))
    if waits and day <= until:
        return HalfResult("pending", until, (*waits, *notes))
    notes = [*waits, *notes]
    if day > until:
        code = "revoked" if version.state == "revoked" else "report_lapsed"
        ends = version.revoked_on if code == "revoked" else until
        return HalfResult("lapsed", until, (reason_for(code, name, ends=ends), *notes))
    if version.type1:
        return HalfResult(
            "design_only", until, (reason_for("design_only", name), *notes)
        )
    kept = [note for note in notes if note.code in KEPT]
    if until != FAR and day > until - DAY * EXPIRING_DAYS:
        why = reason_for("expiring", name, ends=until)
        return HalfResult("expiring", until, (why, *kept))
    return HalfResult("proven", None if until == FAR else until, tuple(kept))
