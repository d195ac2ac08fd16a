"""Scenario 4: scope bites where it matters, through the verbs and the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from controls.models import Role, SystemComponent, User
from controls.responsibility.decide import redecide
from tests import factories
from tests.evidence.scenarios.providers import D, Desk, codes, days

pytestmark = pytest.mark.django_db
START, END, DAY = D(2025, 9, 1), D(2026, 8, 31), D(2026, 11, 23)
Describe = Callable[..., Desk]


@pytest.fixture
def describe(oscar: User, settings: Any) -> Describe:
    """A system with these services over the window, and its two officers."""
    settings.MFA_REQUIRED = False

    def described(*services: str, regime: str = "soc2") -> Desk:
        system = factories.make_system(
            oscar,
            services=services,
            baseline=factories.make_baseline(("pe-3", "si-2"), slug="two"),
            used_from=START,
            window_start=START,
            window_end=END,
            regime=regime,
        )
        olga = factories.make_user("olga")
        factories.give_role(olga, system, Role.OFFICER)
        return Desk(system, oscar, olga)

    return described


def three_reports(
    desk: Desk,
    *,
    third: Sequence[str],
    regions: Sequence[str] = ("*",),
    title: str = "AWS SOC 2",
) -> None:
    """R1 and R2 about everything with the letter's days left out, R3 about `third`."""
    artifact = desk.series(title, ["pe-3", "si-2"])
    everything = ["ec2", "iam", "bedrock"]
    for starts, ends, services, places in (
        (D(2025, 4, 1), D(2025, 9, 30), everything, ["*"]),
        (D(2025, 10, 1), D(2026, 3, 31), everything, ["*"]),
        (D(2026, 4, 1), D(2026, 9, 30), third, regions),
    ):
        report = desk.report(
            artifact, starts, ends, services=list(services), regions=list(places)
        )
        desk.rely(report)


def rows(desk: Desk, ref_id: str) -> dict[str, tuple[int, int, int, int]]:
    found = desk.answer(ref_id, DAY)
    return {
        need.slug: days(need) for need in found.period.aws_days.services if need.needed
    }


def test_the_worst_service_decides_where_scope_is_by_service(describe, client):
    """R23: SI-2 by service, PE-3 by region with the service named as a note."""
    desk = describe("ec2", "bedrock")
    three_reports(desk, third=["ec2", "iam"])
    assert rows(desk, "si-2") == {"ec2": (365, 0, 0, 0), "bedrock": (212, 0, 0, 153)}
    found = desk.answer("si-2", DAY)
    assert found.status.aws_half == "lapsed"
    scope = [r for r in found.status.reasons if r.code == "service_out_of_scope"]
    assert [r.subject for r in scope] == ["bedrock"]
    assert set(rows(desk, "pe-3").values()) == {(365, 0, 0, 0)}
    found = desk.answer("pe-3", DAY)
    assert found.status.aws_half == "proven"
    notes = [r for r in found.status.reasons if r.code == "service_not_listed"]
    assert [r.subject for r in notes] == ["bedrock"]
    body = desk.over_the_api(client, "si-2", DAY)
    (aws,) = body["providers"]
    assert (aws["provider"], aws["state"], aws["open_days"]) == ("aws", "lapsed", 153)


def test_a_service_no_longer_used_leaves_no_open_day_after(describe):
    """R23: needed on the days it was in use only."""
    desk = describe("ec2", "bedrock")
    three_reports(desk, third=["ec2", "iam"])
    SystemComponent.objects.filter(variant__service__slug="bedrock").update(
        used_until=D(2026, 4, 1)
    )
    redecide(desk.system, by=desk.registrar, reason="Bedrock until March", before=None)
    assert rows(desk, "si-2")["bedrock"] == (212, 0, 0, 0)
    found = desk.answer("si-2", DAY)
    assert found.period.aws_days.open_days == 0
    assert found.status.aws_half == "proven"


def test_only_regions_differ_and_iam_is_global(describe, client):
    """R23: a region out of scope is the reason; a global service is never a gap."""
    desk = describe("ec2", "iam")
    SystemComponent.objects.filter(variant__service__slug="ec2").update(
        regions=["eu-south-2"]
    )
    three_reports(desk, third=["*"], regions=["us-east-1"])
    assert rows(desk, "pe-3")["iam"] == (365, 0, 0, 0)
    assert rows(desk, "pe-3")["ec2"] == (212, 0, 0, 153)
    found = desk.answer("pe-3", DAY)
    assert found.status.aws_half == "lapsed"
    assert "region_out_of_scope" in codes(found.status.reasons)
    body = desk.over_the_api(client, "pe-3", DAY)
    subjects = {row["code"]: row["subject"] for row in body["reasons"]}
    assert subjects["region_out_of_scope"] == "eu-south-2"


def test_a_regional_service_without_a_region_is_never_proven(describe, client):
    """R20: `region_unknown`, even where a report speaks of every region."""
    desk = describe("s3", "iam")
    SystemComponent.objects.filter(variant__service__slug="s3").update(regions=[])
    three_reports(desk, third=["*"])
    found = desk.answer("pe-3", DAY)
    assert found.status.aws_half == "missing"
    assert "region_unknown" in codes(found.status.reasons)
    assert rows(desk, "pe-3")["s3"] == (0, 0, 0, 365)
    body = desk.over_the_api(client, "pe-3", DAY)
    assert "region_unknown" in {row["code"] for row in body["reasons"]}


def test_under_fedramp_every_layer_is_scoped_by_service(describe):
    """R23: in regime fedramp a service outside the boundary leaves both parts open."""
    desk = describe("ec2", "bedrock", regime="fedramp")
    artifact = desk.series(
        "FedRAMP East West", ["pe-3", "si-2"], kind="authorization", scheme="fedramp"
    )
    report = desk.report(
        artifact,
        D(2013, 5, 13),
        None,
        services=["ec2"],
        regions=["us-east-1"],
        impact_level="moderate",
    )
    desk.rely(report)
    for ref_id in ("pe-3", "si-2"):
        assert rows(desk, ref_id)["bedrock"] == (0, 0, 0, 365)
        assert rows(desk, ref_id)["ec2"] == (365, 0, 0, 0)
        reasons = codes(desk.answer(ref_id, DAY).status.reasons)
        assert "external_service_unauthorized" in reasons
