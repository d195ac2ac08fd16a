"""What one report says: whom it can speak for, and on which days. Pure.

Days are inclusive. Source: rules R20 to R24.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from evidence.status.cadence import add_months
from evidence.status.day_ranges import DAY, Days
from evidence.status.facts import (
    AWS,
    EVERYTHING,
    ArtifactVersionFacts,
    AwsFacts,
    CarvedOutFacts,
    LetterFacts,
    NeededService,
)
from evidence.status.reasons import Reason, reason_for

AOC_DAYS = 365
ASSESSMENT_MONTHS = 12
FAR = dt.date.max
LEVELS = {"": 0, "li-saas": 1, "low": 1, "moderate": 2, "high": 3}
RELIED_ON = frozenset({"rely", "rely-with-response"})

# R20: which kinds prove a half under which regime, as (kind, schemes; empty: any).
PROVING_KINDS: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {
    "fedramp": (("authorization", frozenset({"fedramp"})),),
    "soc2": (
        ("period", frozenset({"soc1", "soc2", "c5"})),
        ("point", frozenset({"soc1", "soc2", "c5"})),
        ("assessment", frozenset()),
    ),
    "pci": (("point", frozenset({"pci"})),),
    "iso": (
        ("certificate", frozenset({"iso"})),
        ("period", frozenset()),
        ("assessment", frozenset()),
    ),
    "hipaa": (("period", frozenset()), ("certificate", frozenset({"hitrust"}))),
    "none": (
        ("period", frozenset()),
        ("certificate", frozenset()),
        ("authorization", frozenset()),
        ("assessment", frozenset()),
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


def may_speak_for(version: ArtifactVersionFacts, need: NeededService) -> bool:
    """Whether a report is one that the need names, where it names one (R9)."""
    return need.scope != "document" or version.artifact == need.slug


def names(scope: Collection[str], name: str) -> bool:
    """Whether a report's services or regions hold one of them: "*" alone is all of
    them, beside names it adds nothing to these."""
    return set(scope) == EVERYTHING or name in scope


def gap_in_scope(
    version: ArtifactVersionFacts, need: NeededService, regime: str
) -> Reason | None:
    """None when the version covers the need; else the reason why it does not (R23)."""
    if need.provider != AWS:
        return _gap_in_sites(version, need)
    if need.scope == "document":
        return None
    by_service = need.scope == "service" or regime == "fedramp"
    slugs, regions = version.services_in_scope, version.regions_in_scope
    if by_service and not names(slugs, need.slug):
        code = "service_out_of_scope"
        if regime == "fedramp":
            code = "external_service_unauthorized"
        return reason_for(code, need.slug, artifact=version.artifact)
    if need.is_global:
        return None
    if not need.regions:
        return reason_for("region_unknown", need.slug, artifact=version.artifact)
    for region in need.regions:
        if not names(regions, region):
            return reason_for("region_out_of_scope", region, artifact=version.artifact)
    return None


def _gap_in_sites(version: ArtifactVersionFacts, need: NeededService) -> Reason | None:
    """The same for a provider other than AWS: its sites, or services by name."""
    scope = {site.casefold() for site in version.sites_in_scope}
    if "*" in scope:
        return None
    whose = named(version, need.provider_name)
    if not scope:
        return reason_for("site_unknown", whose)
    if not need.sites:
        if {name.replace(" ", "-") for name in scope} & {need.slug, need.provider}:
            return None
        return reason_for("site_unknown", need.provider_name)
    for site in need.sites:
        if site.casefold() not in scope:
            where = f"{need.provider_name}, {site}"
            return reason_for("site_out_of_scope", where, artifact=version.artifact)
    return None


def layers_run(organisation: CarvedOutFacts, need: NeededService) -> tuple[str, ...]:
    """The layers of a need that a carved-out organisation runs (R20)."""
    if not organisation.layers:
        return need.layers
    return tuple(layer for layer in need.layers if layer in organisation.layers)


def named(version: ArtifactVersionFacts, provider_name: str) -> str:
    """`AWS SOC 2, Spring 2026`; of other providers with the provider before it."""
    name = f"{version.artifact}, {version.label}"
    return name if version.provider == AWS else f"{provider_name}: {name}"


def unfit_for(
    version: ArtifactVersionFacts, need: NeededService, aws: AwsFacts
) -> Reason | None:
    """Why a report of the need's provider cannot speak for this system (R20)."""
    if version.state == "withdrawn":
        name = named(version, need.provider_name)
        return reason_for("report_withdrawn", name, ends=version.revoked_on)
    authorizes = version.kind == "authorization"
    foreign = version.partition and version.partition != aws.partition
    # every region is each of its own partition; regions by name speak for themselves
    by_partition = authorizes or version.regions_in_scope == EVERYTHING
    if version.provider == AWS and foreign and by_partition:
        return reason_for("other_partition", version.artifact)
    if not authorizes:
        return None
    if LEVELS[version.impact_level] < LEVELS[aws.impact_level]:
        return reason_for(
            "impact_below_baseline", version.artifact, level=version.impact_level
        )
    return None


def end_of(version: ArtifactVersionFacts) -> dt.date:
    """By which the versions of a series are told older from newer."""
    if version.kind == "assessment":
        return version.starts
    return version.ends or FAR


def spoken_days(version: ArtifactVersionFacts) -> Days:
    """First and last day a version speaks of, cut where it was revoked."""
    last = version.ends or FAR
    if version.kind == "point" and version.scheme == "pci":
        last = version.starts + DAY * (AOC_DAYS - 1)
    if version.kind == "assessment":
        last = add_months(version.starts, ASSESSMENT_MONTHS) - DAY
    if version.state == "revoked" and version.revoked_on:
        last = min(last, version.revoked_on - DAY)
    return version.starts, last


def asserted_days(version: ArtifactVersionFacts) -> Days | None:
    """Days on the provider's word alone, or on ours of it (R20, R21, R24).

    Of an assessment all its days; else those after the report that accepted letters
    assert, each at most to its issue and its months beyond the report's period.
    """
    if version.kind == "assessment":
        return spoken_days(version)
    if version.ends is None:
        return None
    ends = [
        letter_end(version.ends, letter)
        for letter in version.letters
        if letter.state == "accepted" and letter.starts <= version.ends + DAY
    ]
    last = max(ends, default=version.ends)
    if version.state == "revoked" and version.revoked_on:
        last = min(last, version.revoked_on - DAY)
    return (version.ends + DAY, last) if last > version.ends else None


def letter_end(report_end: dt.date, letter: LetterFacts) -> dt.date:
    """The last day that counts of a letter, whatever it says (R21)."""
    furthest = add_months(report_end + DAY, letter.max_months) - DAY
    return min(letter.ends, letter.issued_on, furthest)


def current_to(version: ArtifactVersionFacts, aws: AwsFacts) -> dt.date:
    """The last day on which a version alone counts as current (R22)."""
    last = spoken_days(version)[1]
    if version.kind != "period" or version.state == "revoked" or last == FAR:
        return last
    return max(last + DAY * aws.currency_days, covered_to(version))


def covered_to(version: ArtifactVersionFacts) -> dt.date:
    """The last day that a version and its letters cover."""
    asserted = asserted_days(version)
    last = spoken_days(version)[1]
    return max(last, asserted[1]) if asserted else last


def ends_currency(version: ArtifactVersionFacts) -> bool:
    """Whether the reports before this one are not current beyond their own days: it is
    not relied on, also where its auditor withdrew it afterwards (R22). One person says
    that it was withdrawn; that brings nothing back which a second one refused."""
    return version.reliance == "do-not-rely"


def series_current_to(
    relied: Sequence[ArtifactVersionFacts],
    refused: Sequence[ArtifactVersionFacts],
    aws: AwsFacts,
) -> dt.date:
    """The last day on which a series counts as current (R22).

    `relied` are its versions that count, at least one, `refused` those of which a later
    one `ends_currency` beyond period and letters. Of two reports ending on one day
    either one's letter counts.
    """
    end = max(map(end_of, relied))
    newest = [version for version in relied if end_of(version) == end]
    until = max(current_to(version, aws) for version in newest)
    if any(end_of(version) > end for version in refused):
        return min(until, max(map(covered_to, newest)))
    return until
