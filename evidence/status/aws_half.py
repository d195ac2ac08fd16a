"""AWS's half: which artifact proves which service on which days. Pure.

Days are inclusive. Source: rules R20 to R25.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evidence.status.cadence import EXPIRING_DAYS
from evidence.status.facts import (
    EVERYTHING,
    ArtifactVersionFacts,
    AwsFacts,
    HalfState,
    NeededService,
)
from evidence.status.reasons import Reason, reason_for

DAY = dt.timedelta(days=1)
AOC_DAYS = 365
FAR = dt.date.max
LEVELS = {"": 0, "li-saas": 1, "low": 1, "moderate": 2, "high": 3}
Days = tuple[dt.date, dt.date]

# R20: which kinds prove a half under which regime, as (kind, schemes; empty: any).
PROVING_KINDS: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {
    "fedramp": (("authorization", frozenset({"fedramp"})),),
    "soc2": (
        ("period", frozenset({"soc1", "soc2", "c5"})),
        ("point", frozenset({"soc1", "soc2", "c5"})),
    ),
    "pci": (("point", frozenset({"pci"})),),
    "iso": (("certificate", frozenset({"iso"})), ("period", frozenset())),
    "hipaa": (("period", frozenset()), ("certificate", frozenset({"hitrust"}))),
    "none": (
        ("period", frozenset()),
        ("certificate", frozenset()),
        ("authorization", frozenset()),
    ),
}

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
    said = set(states)
    return next((state for state in WORST_FIRST if state in said), "missing")


def proves_under(version: ArtifactVersionFacts, regime: str) -> bool:
    """Whether a version's kind proves a half under a regime (R20)."""
    if version.kind == "point" and version.scheme == "pci":
        return regime == "pci" and version.responsibility_summary
    return any(
        version.kind == kind and (not schemes or version.scheme in schemes)
        for kind, schemes in PROVING_KINDS[regime]
    )


def needed_on(aws: AwsFacts, day: dt.date) -> tuple[NeededService, ...]:
    """Services in use on a day that make AWS a party."""
    return tuple(
        need
        for need in aws.needed
        if need.used_from <= day and (need.used_until is None or day < need.used_until)
    )


def _in_scope(
    version: ArtifactVersionFacts, need: NeededService, regime: str
) -> Reason | None:
    """None when the version covers the need; else the reason why it does not (R23)."""
    by_service = need.scope == "service" or regime == "fedramp"
    slugs, regions = version.services_in_scope, version.regions_in_scope
    if by_service and slugs != EVERYTHING and need.slug not in slugs:
        code = "service_out_of_scope"
        if regime == "fedramp":
            code = "external_service_unauthorized"
        return reason_for(code, need.slug, artifact=version.artifact)
    if need.is_global or regions == EVERYTHING:
        return None
    if not need.regions:
        return reason_for("region_unknown", need.slug, artifact=version.artifact)
    for region in need.regions:
        if region not in regions:
            return reason_for("region_out_of_scope", region, artifact=version.artifact)
    return None


def _unfit(version: ArtifactVersionFacts, aws: AwsFacts) -> Reason | None:
    """Why an authorization cannot speak for this system at all (R20)."""
    if version.kind != "authorization":
        return None
    if version.partition and version.partition != aws.partition:
        return reason_for("other_partition", version.artifact)
    if LEVELS[version.impact_level] < LEVELS[aws.impact_level]:
        return reason_for(
            "impact_below_baseline", version.artifact, level=version.impact_level
        )
    return None


def spoken_days(version: ArtifactVersionFacts) -> Days:
    """First and last day a version speaks of, cut where it was revoked."""
    last = version.ends or FAR
    if version.kind == "point" and version.scheme == "pci":
        last = version.starts + DAY * (AOC_DAYS - 1)
    if version.state == "revoked" and version.revoked_on:
        last = min(last, version.revoked_on - DAY)
    return version.starts, last


def asserted_days(version: ArtifactVersionFacts) -> Days | None:
    """Days that accepted letters assert after the report, to their issue (R21, R24)."""
    if version.ends is None:
        return None
    ends = [
        min(letter.ends, letter.issued_on)
        for letter in version.letters
        if letter.state == "accepted" and letter.starts <= version.ends + DAY
    ]
    last = max(ends, default=version.ends)
    return (version.ends + DAY, last) if last > version.ends else None


def current_to(version: ArtifactVersionFacts, aws: AwsFacts) -> dt.date:
    """The last day on which a version counts as current (R22)."""
    last = spoken_days(version)[1]
    if version.kind != "period" or version.state == "revoked" or last == FAR:
        return last
    asserted = asserted_days(version)
    grace = last + DAY * aws.currency_days
    return max(grace, asserted[1]) if asserted else grace


def aws_half(aws: AwsFacts | None, day: dt.date) -> HalfResult:
    """AWS's half on a day: the worst needed service, each by its best series."""
    if aws is None or not aws.versions:
        return HalfResult("missing", None, (reason_for("no_artifact"),))
    proving = [v for v in aws.versions if proves_under(v, aws.regime)]
    needs = needed_on(aws, day)
    notes = _supporting(aws, proving)
    if not proving or not needs:
        return HalfResult("missing", None, notes or (reason_for("no_artifact"),))
    judged = [_need_judged(need, proving, aws, day) for need in needs]
    state = worst(each.state for each in judged)
    ends = [each.until for each in judged if each.until is not None]
    reasons = tuple(dict.fromkeys(r for each in judged for r in each.reasons))
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


def _need_judged(
    need: NeededService,
    proving: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> HalfResult:
    """The best series for one service; reasons only of what it lacks."""
    series = dict.fromkeys(version.series for version in proving)
    judged = [
        _series_judged(need, [v for v in proving if v.series == name], aws, day)
        for name in series
    ]
    return max(judged, key=lambda each: WORST_FIRST.index(each.state))


def _series_judged(
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
        why = _unfit(version, aws) or _in_scope(version, need, aws.regime)
        if why:
            reasons.append(why)
        else:
            fit.append(version)
    relied = [v for v in fit if v.reliance in {"rely", "rely-with-response"}]
    unread = [v for v in fit if v.reliance is None]
    if not relied:
        return _without_reliance(fit, unread, reasons)
    newest = relied[-1]
    waiting = [v for v in unread if (v.ends or FAR) > (newest.ends or FAR)]
    notes = [reason_for("newer_version_unreviewed", v.label) for v in waiting]
    notes += _told_of(newest, need)
    return _currency(newest, aws, day, [*reasons[-1:], *notes])


def _told_of(version: ArtifactVersionFacts, need: NeededService) -> list[Reason]:
    """What stays visible of a version that counts (R23, R24)."""
    told = []
    slugs = version.services_in_scope
    if slugs != EVERYTHING and need.slug not in slugs:
        told.append(
            reason_for("service_not_listed", need.slug, artifact=version.artifact)
        )
    name = f"{version.artifact}, {version.label}"
    for letter in version.letters:
        if letter.state == "waiting":
            ends = min(letter.ends, letter.issued_on)
            told.append(reason_for("letter_pending", name, ends=ends))
        elif letter.state == "accepted" and letter.ends > letter.issued_on:
            told.append(reason_for("letter_beyond_issue", ends=letter.issued_on))
    if version.exceptions_answered:
        told.append(reason_for("exception_answered", name))
    return told


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


@dataclass(frozen=True, slots=True)
class NeedDays:
    """Days of one needed service in a window: audited, asserted and open.

    `audited + asserted + open_days` is the number of days it was needed;
    `open_ranges` are inclusive.
    """

    slug: str
    scope: str
    audited: int
    asserted: int
    open_days: int
    audited_ranges: tuple[Days, ...] = ()
    asserted_ranges: tuple[Days, ...] = ()
    open_ranges: tuple[Days, ...] = ()


def days_of(
    need: NeededService, aws: AwsFacts, start: dt.date, end: dt.date
) -> NeedDays:
    """The days of one service in start..end by the series that leaves fewest open."""
    first = max(start, need.used_from)
    last = min(end, need.used_until - DAY) if need.used_until else end
    if first > last:
        return NeedDays(need.slug, need.scope, 0, 0, 0)
    proving = [
        v
        for v in aws.versions
        if proves_under(v, aws.regime)
        and not v.type1
        and v.reliance in {"rely", "rely-with-response"}
        and not _unfit(v, aws)
        and not _in_scope(v, need, aws.regime)
    ]
    names = dict.fromkeys(v.series for v in proving) or {"": None}
    options = [
        _days(need, [v for v in proving if v.series == name], first, last)
        for name in names
    ]
    return min(options, key=lambda each: each.open_days)


def _days(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    first: dt.date,
    last: dt.date,
) -> NeedDays:
    window = [(first, last)]
    audited = united(clip([spoken_days(v) for v in versions], first, last))
    letters = [days for v in versions if (days := asserted_days(v))]
    asserted = subtract(united(clip(letters, first, last)), audited)
    left = subtract(subtract(window, audited), asserted)
    return NeedDays(
        need.slug,
        need.scope,
        count(audited),
        count(asserted),
        count(left),
        tuple(audited),
        tuple(asserted),
        tuple(left),
    )


def clip(ranges: Iterable[Days], first: dt.date, last: dt.date) -> list[Days]:
    """The parts of ranges inside first..last."""
    cut = [(max(a, first), min(b, last)) for a, b in ranges]
    return [(a, b) for a, b in cut if a <= b]


def united(ranges: Iterable[Days]) -> list[Days]:
    """The same days as ranges in order without overlap or touching neighbours."""
    result: list[Days] = []
    for a, b in sorted(ranges):
        if result and a <= _after(result[-1][1]):
            result[-1] = (result[-1][0], max(result[-1][1], b))
        else:
            result.append((a, b))
    return result


def subtract(ranges: Iterable[Days], away: Iterable[Days]) -> list[Days]:
    """The days of `ranges` that are not in `away`."""
    left = list(ranges)
    for c, d in away:
        left = [piece for a, b in left for piece in _without(a, b, c, d)]
    return left


def _without(a: dt.date, b: dt.date, c: dt.date, d: dt.date) -> list[Days]:
    if d < a or c > b:
        return [(a, b)]
    pieces = []
    if a < c:
        pieces.append((a, c - DAY))
    if d < b:
        pieces.append((d + DAY, b))
    return pieces


def _after(day: dt.date) -> dt.date:
    return day if day == dt.date.max else day + DAY


def count(ranges: Iterable[Days]) -> int:
    """How many days the ranges hold."""
    return sum((b - a).days + 1 for a, b in ranges)
