"""Scenario 13 without a database: needs, reports and letters of three providers."""

from __future__ import annotations

from dataclasses import replace

from evidence.status.aws_half import aws_half
from evidence.status.coverage import days_of
from evidence.status.facts import AwsFacts
from tests.evidence.scenarios.providers import D, codes, days
from tests.evidence.status.neutral import (
    aws_facts,
    letter_facts,
    needed_service,
    version_facts,
)

START, END, TODAY = D(2025, 10, 1), D(2026, 9, 30), D(2026, 11, 20)
S3 = needed_service("s3", "region", START, regions=("eu-central-1",))
FRA1 = needed_service(
    "colocation-site",
    "site",
    START,
    provider="landlord",
    provider_name="Landlord",
    sites=("FRA1",),
)
AMS3 = replace(FRA1, used_from=D(2026, 4, 1), sites=("AMS3",))
LINE = replace(
    FRA1, slug="carrier-link", provider="carrier", provider_name="Carrier", sites=()
)
AWS_FIRST = version_facts(
    "a1",
    "AWS SOC 2",
    "aws-soc2",
    "period",
    "spring",
    START,
    ends=D(2026, 3, 31),
    scheme="soc2",
    services_in_scope=frozenset({"*"}),
    regions_in_scope=frozenset({"eu-central-1"}),
    reliance="rely",
)
AWS_SECOND = replace(
    AWS_FIRST, uuid="a2", label="autumn", starts=D(2026, 4, 1), ends=END
)
LETTER = letter_facts(D(2026, 9, 15), D(2026, 7, 1), D(2026, 9, 15), "accepted")
OF_LANDLORD = replace(
    AWS_FIRST,
    uuid="l",
    artifact="Landlord SOC 2",
    series="landlord-soc2",
    provider="landlord",
    starts=D(2025, 7, 1),
    ends=D(2026, 6, 30),
    services_in_scope=frozenset(),
    regions_in_scope=frozenset(),
    sites_in_scope=frozenset({"fra1"}),
    letters=(LETTER,),
)
ASSESSMENT = replace(
    OF_LANDLORD,
    artifact="Carrier assessment",
    series="carrier",
    provider="carrier",
    kind="assessment",
    scheme="own",
    starts=D(2026, 3, 10),
    ends=None,
    sites_in_scope=frozenset({"Carrier link"}),
    letters=(),
)
ALL = (AWS_FIRST, AWS_SECOND, OF_LANDLORD)


def soc2(*versions, needed) -> AwsFacts:  # type: ignore[no-untyped-def]
    return aws_facts(needed=needed, versions=versions, regime="soc2")


def counted(need, *versions, end=END):  # type: ignore[no-untyped-def]
    found = days_of(need, soc2(*versions, needed=(need,)), START, end)
    return days(found)


def test_awss_report_never_proves_a_landlords_cage():
    """R3: each provider by its own artifact alone."""
    everything = replace(AWS_SECOND, sites_in_scope=frozenset({"*"}))
    half = aws_half(soc2(everything, needed=(S3, FRA1, LINE)), TODAY)
    assert half.state == "missing"
    assert [(p.name, p.state) for p in half.providers] == [
        ("AWS", "proven"),
        ("Landlord", "missing"),
        ("Carrier", "missing"),
    ]
    assert [r.subject for r in half.reasons] == ["Landlord", "Carrier"]


def test_days_of_each_provider():
    """R21: AWS 365/0/0, landlord 273/77/15, a cage in AMS3 183 open."""
    assert counted(S3, *ALL) == (365, 0, 0, 0)
    assert counted(FRA1, *ALL) == (273, 77, 0, 15)
    assert counted(AMS3, *ALL) == (0, 0, 0, 183)
    assert counted(LINE, *ALL) == (0, 0, 0, 365)
    assert counted(LINE, *ALL, ASSESSMENT) == (0, 205, 0, 160)


def test_states_of_each_provider():
    """R22, R23: the worst decides; a site that no report names is out of scope."""
    half = aws_half(soc2(*ALL, needed=(S3, FRA1)), TODAY)
    assert (half.state, half.until) == ("lapsed", D(2026, 9, 28))
    assert half.providers[0].until == D(2026, 12, 29)
    half = aws_half(soc2(*ALL, needed=(S3, FRA1, AMS3)), TODAY)
    assert half.state == "missing"
    assert "site_out_of_scope" in codes(half.reasons)
    assessed = aws_half(soc2(ASSESSMENT, needed=(LINE,)), TODAY)
    assert (assessed.state, assessed.until) == ("proven", D(2027, 3, 9))


def test_a_report_that_names_no_site_proves_none():
    """R23: `site_unknown` is never proven; nor is a component without a site."""
    silent = replace(OF_LANDLORD, sites_in_scope=frozenset())
    half = aws_half(soc2(silent, needed=(FRA1,)), D(2026, 6, 1))
    assert (half.state, codes(half.reasons)) == ("missing", {"site_unknown"})
    nowhere = replace(FRA1, sites=())
    half = aws_half(soc2(OF_LANDLORD, needed=(nowhere,)), D(2026, 6, 1))
    assert (half.state, codes(half.reasons)) == ("missing", {"site_unknown"})


def test_an_assessment_proves_under_three_regimes_only():
    """R20: soc2, iso and none; under others it only supports."""
    proven = {
        regime: aws_half(
            replace(soc2(ASSESSMENT, needed=(LINE,)), regime=regime), TODAY
        ).state
        for regime in ("soc2", "iso", "none", "fedramp", "pci", "hipaa")
    }
    assert [r for r, state in proven.items() if state == "proven"] == [
        "soc2",
        "iso",
        "none",
    ]
