"""What one report of AWS says: whom it can speak for, and on which days. Pure.

Days are inclusive. Source: rules R20 to R24.
"""

from __future__ import annotations

import datetime as dt

from evidence.status.day_ranges import DAY, Days
from evidence.status.facts import (
    EVERYTHING,
    ArtifactVersionFacts,
    AwsFacts,
    NeededService,
)
from evidence.status.reasons import Reason, reason_for

AOC_DAYS = 365
FAR = dt.date.max
LEVELS = {"": 0, "li-saas": 1, "low": 1, "moderate": 2, "high": 3}
RELIED_ON = frozenset({"rely", "rely-with-response"})

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


def proves_under(version: ArtifactVersionFacts, regime: str) -> bool:
    """Whether a version's kind proves a half under a regime (R20)."""
    if version.kind == "point" and version.scheme == "pci":
        return regime == "pci" and version.responsibility_summary
    return any(
        version.kind == kind and (not schemes or version.scheme in schemes)
        for kind, schemes in PROVING_KINDS[regime]
    )


def gap_in_scope(
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


def unfit_for(version: ArtifactVersionFacts, aws: AwsFacts) -> Reason | None:
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
