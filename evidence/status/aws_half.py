"""The providers' half: which artifact proves which need on which days. Pure.

Each provider is a need of its own, proven by its own artifacts alone; the half is its
worst provider. Days are inclusive. Source: rules R3 and R20 to R25.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from evidence.status.facts import ArtifactVersionFacts, AwsFacts, NeededService
from evidence.status.half import (
    FAILING,
    GOOD,
    WORST_FIRST,
    HalfResult,
    ProviderResult,
    worst,
)
from evidence.status.reasons import Reason, reason_for
from evidence.status.reports import may_speak_for, named, proves_under
from evidence.status.series import NEWEST_COUNTS_NOT, counted_report, judge_cited
from evidence.status.values import value

__all__ = ["HalfResult", "ProviderResult", "aws_half", "needed_on", "worst"]

ONLY_WAITS = frozenset(
    {
        "reliance_pending",
        "citation_pending",
        "exception_unanswered",
        "subservice_undecided",
    }
)


def needed_on(aws: AwsFacts, day: dt.date) -> tuple[NeededService, ...]:
    """Components in use on a day that make a provider a party."""
    return tuple(
        need
        for need in aws.needed
        if need.used_from <= day and (need.used_until is None or day < need.used_until)
    )


def aws_half(aws: AwsFacts | None, day: dt.date) -> HalfResult:
    """The providers' half on a day: its worst provider, each by its own artifacts."""
    needs = needed_on(aws, day) if aws else ()
    if aws is None or not needs:
        notes = _supporting(aws.versions, aws) if aws and not _proving(aws) else ()
        return HalfResult("missing", None, notes or (reason_for("no_artifact", "AWS"),))
    names = {need.provider: need.provider_name for need in needs}
    providers = tuple(
        _judge_provider(
            name,
            [need for need in needs if need.provider == slug],
            [version for version in aws.versions if version.provider == slug],
            aws,
            day,
        )
        for slug, name in names.items()
    )
    ends = [result.until for result in providers if result.until is not None]
    reasons = dict.fromkeys(reason for r in providers for reason in r.reasons)
    return HalfResult(
        worst(result.state for result in providers),
        min(ends, default=None),
        tuple(reasons),
        providers,
    )


@value
class NeedProof:
    """How one need stands on a day, and the report it rests on: "" for none."""

    need: NeededService
    result: HalfResult
    report: str


def need_proofs(aws: AwsFacts, day: dt.date) -> tuple[NeedProof, ...]:
    """Each need of a day with its state, and the report that it stands by: of the
    series with the best state the newest that is relied on, its citation accepted."""
    return tuple(_proof_of(need, aws, day) for need in needed_on(aws, day))


def _proof_of(need: NeededService, aws: AwsFacts, day: dt.date) -> NeedProof:
    proving = [
        version
        for version in aws.versions
        if version.provider == need.provider
        and proves_under(version, aws.regime)
        and may_speak_for(version, need)
    ]
    if not proving:
        why = reason_for("no_artifact", need.provider_name)
        return NeedProof(need, HalfResult("missing", None, (why,)), "")
    judged = _judge_need(need, proving, aws, day)
    for name in dict.fromkeys(version.series for version in proving):
        series = [v for v in proving if v.series == name and v.citation == "accepted"]
        counted = counted_report(need, series, aws, day)
        if counted and _judge_series(need, series, aws, day).state == judged.state:
            return NeedProof(need, judged, named(counted, need.provider_name))
    return NeedProof(need, judged, "")


def _proving(aws: AwsFacts) -> list[ArtifactVersionFacts]:
    return [version for version in aws.versions if proves_under(version, aws.regime)]


def _judge_provider(
    name: str,
    needs: Sequence[NeededService],
    versions: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> ProviderResult:
    """The provider's worst need; `needs` and `versions` are its own."""
    slug = needs[0].provider
    proving = [version for version in versions if proves_under(version, aws.regime)]
    notes = _supporting(versions, aws)
    if not proving:
        why = notes or (reason_for("no_artifact", name),)
        return ProviderResult(slug, name, "missing", None, why)
    results = [_judge_need(need, proving, aws, day) for need in needs]
    state = worst(result.state for result in results)
    ends = [result.until for result in results if result.until is not None]
    reasons = dict.fromkeys(reason for r in results for reason in r.reasons)
    if state not in GOOD:
        reasons |= dict.fromkeys(notes)
    return ProviderResult(slug, name, state, min(ends, default=None), tuple(reasons))


def _supporting(
    versions: Sequence[ArtifactVersionFacts], aws: AwsFacts
) -> tuple[Reason, ...]:
    """Artifacts that move no state; said where something is lacking."""
    apart = {v.artifact for v in versions if proves_under(v, aws.regime)}
    names = dict.fromkeys(v.artifact for v in versions if v.artifact not in apart)
    return tuple(reason_for("supporting_only", n, regime=aws.regime) for n in names)


def _judge_need(
    need: NeededService,
    proving: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> HalfResult:
    """The best series for one need, with what fails in the others (R24).

    Where the need is proven, of the others only a newest report that is not relied on
    or was withdrawn.
    """
    proving = [version for version in proving if may_speak_for(version, need)]
    if not proving:
        why = reason_for("no_artifact", need.slug or need.provider_name)
        return HalfResult("missing", None, (why,))
    results = [
        _judge_series(need, [v for v in proving if v.series == name], aws, day)
        for name in dict.fromkeys(version.series for version in proving)
    ]
    best = max(results, key=lambda result: WORST_FIRST.index(result.state))
    others = [result for result in results if result is not best]
    if best.state in GOOD:
        further = [
            reason
            for result in others
            for reason in result.reasons
            if reason.code in NEWEST_COUNTS_NOT
        ]
    else:
        further = [
            reason
            for result in others
            for reason in result.reasons
            if result.state in FAILING or reason.code not in ONLY_WAITS
        ]
    reasons = dict.fromkeys((*best.reasons, *further))
    return HalfResult(best.state, best.until, tuple(reasons))


def _judge_series(
    need: NeededService,
    versions: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
    day: dt.date,
) -> HalfResult:
    """One series for one need, once the system has accepted the citation (R24)."""
    result = judge_cited(need, versions, aws, day)
    waits = [version for version in versions if version.citation == "waiting"]
    if not waits or result.state in FAILING | {"pending"}:
        return result
    why = reason_for("citation_pending", named(waits[-1], need.provider_name))
    return HalfResult("pending", None, (why, *result.reasons))
