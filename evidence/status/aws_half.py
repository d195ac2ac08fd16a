"""AWS's half: which artifact proves which service on which days. Pure.

Days are inclusive. Source: rules R20 to R25.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evidence.status.cadence import EXPIRING_DAYS
from evidence.status.day_ranges import DAY
from evidence.status.facts import (
    EVERYTHING,
    ArtifactVersionFacts,
    AwsFacts,
    HalfState,
    NeededService,
)
from evidence.status.reasons import Reason, reason_for
from evidence.status.reports import (
    FAR,
    RELIED_ON,
    current_to,
    gap_in_scope,
    proves_under,
    unfit_for,
)

# Notes said of a half that is proven, too.
KEPT = {
    "newer_version_unreviewed",
    "service_not_listed",
    "letter_beyond_issue",
    "letter_pending",
    "exception_answered",
}

WORST_FIRST: tuple[HalfState, ...] = (
    "missing",
    "lapsed",
    "pending",
    "design_only",
    "expiring",
    "proven",
    "not_required",
)


@dataclass(frozen=True, slots=True)
class HalfResult:
    """State of a half, the last day it holds (None: no end, or none), and why."""

    state: HalfState
    until: dt.date | None
    reasons: tuple[Reason, ...]


def worst(states: Iterable[HalfState]) -> HalfState:
    """The worst of several states; `missing` of none: nothing is never green."""
    met = set(states)
    return next((state for state in WORST_FIRST if state in met), "missing")


def needed_on(aws: AwsFacts, day: dt.date) -> tuple[NeededService, ...]:
    """Services in use on a day that make AWS a party."""
    return tuple(
        need
        for need in aws.needed
        if need.used_from <= day and (need.used_until is None or day < need.used_until)
    )


def aws_half(aws: AwsFacts | None, day: dt.date) -> HalfResult:
    """AWS's half on a day: the worst needed service, each by its best series."""
    if aws is None or not aws.versions:
        return HalfResult("missing", None, (reason_for("no_artifact"),))
    proving = [v for v in aws.versions if proves_under(v, aws.regime)]
    needs = needed_on(aws, day)
    notes = _supporting(aws, proving)
    if not proving or not needs:
        return HalfResult("missing", None, notes or (reason_for("no_artifact"),))
    results = [_judge_need(need, proving, aws, day) for need in needs]
    state = worst(result.state for result in results)
    ends = [result.until for result in results if result.until is not None]
    reasons = tuple(dict.fromkeys(r for result in results for r in result.reasons))
    if state in {"proven", "expiring"}:
        notes = ()
    return HalfResult(state, min(ends, default=None), (*reasons, *notes))


def _supporting(
    aws: AwsFacts, proving: Sequence[ArtifactVersionFacts]
) -> tuple[Reason, ...]:
    """Artifacts that move no state; said where something is lacking."""
    apart = {version.artifact for version in proving}
    names = dict.fromkeys(v.artifact for v in aws.versions if v.artifact not in apart)
    return tuple(reason_for("supporting_only", n, regime=aws.regime) for n in names)


def _judge_need(
    need: NeededService,
    proving: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> HalfResult:
    """The best series for one service; reasons only of what it lacks."""
    series = dict.fromkeys(version.series for version in proving)
    results = [
        _judge_series(need, [v for v in proving if v.series == name], aws, day)
        for name in series
    ]
    return max(results, key=lambda result: WORST_FIRST.index(result.state))


def _judge_series(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> HalfResult:
    """One series for one service: its newest relied version in scope decides."""
    started = [v for v in versions if v.starts <= day]
    reasons: list[Reason] = []
    fit: list[ArtifactVersionFacts] = []
    for version in sorted(started, key=lambda v: v.ends or FAR):
        why = unfit_for(version, aws) or gap_in_scope(version, need, aws.regime)
        if why:
            reasons.append(why)
        else:
            fit.append(version)
    relied = [v for v in fit if v.reliance in RELIED_ON]
    unread = [v for v in fit if v.reliance is None]
    if not relied:
        return _without_reliance(fit, unread, reasons)
    newest = relied[-1]
    waiting = [v for v in unread if (v.ends or FAR) > (newest.ends or FAR)]
    notes = [reason_for("newer_version_unreviewed", v.label) for v in waiting]
    notes += _notes_of(newest, need)
    return _currency(newest, aws, day, [*reasons[-1:], *notes])


def _notes_of(version: ArtifactVersionFacts, need: NeededService) -> list[Reason]:
    """What stays visible of a version that counts (R23, R24)."""
    notes = []
    slugs = version.services_in_scope
    if slugs != EVERYTHING and need.slug not in slugs:
        notes.append(
            reason_for("service_not_listed", need.slug, artifact=version.artifact)
        )
    name = f"{version.artifact}, {version.label}"
    for letter in version.letters:
        if letter.state == "waiting":
            ends = min(letter.ends, letter.issued_on)
            notes.append(reason_for("letter_pending", name, ends=ends))
        elif letter.state == "accepted" and letter.ends > letter.issued_on:
            notes.append(reason_for("letter_beyond_issue", ends=letter.issued_on))
    if version.exceptions_answered:
        notes.append(reason_for("exception_answered", name))
    return notes


def _without_reliance(
    fit: Sequence[ArtifactVersionFacts],
    unread: Sequence[ArtifactVersionFacts],
    reasons: Sequence[Reason],
) -> HalfResult:
    if unread:
        why = reason_for(
            "reliance_pending", f"{unread[-1].artifact}, {unread[-1].label}"
        )
        return HalfResult("pending", None, (why,))
    if fit:
        why = reason_for("not_relied_on", f"{fit[-1].artifact}, {fit[-1].label}")
        return HalfResult("missing", None, (why,))
    return HalfResult(
        "missing", None, tuple(reasons[-1:]) or (reason_for("no_artifact"),)
    )


def _currency(
    version: ArtifactVersionFacts, aws: AwsFacts, day: dt.date, notes: list[Reason]
) -> HalfResult:
    """Current, about to end, or lapsed; `notes` explain why nothing newer counts."""
    until = current_to(version, aws)
    name = f"{version.artifact}, {version.label}"
    if version.exceptions_open:
        why = reason_for("exception_unanswered", name)
        return HalfResult("pending", until, (why, *notes))
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
