"""Scenario 7: FedRAMP inheritance, through the verbs and as a program reads it."""

from __future__ import annotations

from typing import Any

import pytest

from controls.models import Role, System, User
from evidence.artifacts import register
from evidence.status.control_status import proven_by
from evidence.systems.describe import Use, create_system
from tests import factories
from tests.evidence.scenarios.providers import D, Desk, codes

pytestmark = pytest.mark.django_db
START, DAY = D(2026, 1, 1), D(2026, 11, 20)


def describe(oscar: User, partition: str, region: str, *services: str) -> Desk:
    """A system under FedRAMP HIGH in one region, and its two officers."""
    factories.give_installation_roles(oscar)
    system = System(
        baseline=factories.make_baseline(("pe-3",), slug="one"),
        name="Records",
        slug="records",
        regime="fedramp",
        impact_level="high",
        partition=partition,
        time_zone="UTC",
        window_start=START,
        window_end=D(2026, 12, 31),
    )
    uses = [Use(factories.variant(name), START, regions=[region]) for name in services]
    owners = {"": factories.make_team()}
    root = factories.administrator()
    create_system(system, uses, owners, by=root, officer=oscar)
    olga = factories.make_user("olga")
    factories.give_role(olga, system, Role.OFFICER)
    return Desk(system, oscar, olga)


def authorized(desk: Desk, title: str, level: str, partition: str, region: str) -> Any:
    artifact = desk.series(title, ["pe-3"], kind="authorization", scheme="fedramp")
    report = desk.report(
        artifact,
        D(2013, 5, 13),
        None,
        services=["ec2", "s3"],
        regions=[region],
        impact_level=level,
        partition=partition,
    )
    desk.rely(report)
    return report


def test_moderate_is_not_enough_and_soc_2_and_iso_only_support(oscar, client, settings):
    """R20: PE-3 is inherited, AWS's half missing, the verdict unproven."""
    settings.MFA_REQUIRED = False
    desk = describe(oscar, "aws", "us-east-1", "ec2")
    authorized(desk, "FedRAMP East West", "moderate", "aws", "us-east-1")
    soc2 = desk.series("AWS SOC 2", ["pe-3"])
    desk.rely(
        desk.report(soc2, D(2025, 10, 1), D(2026, 9, 30), services=["*"], regions=["*"])
    )
    iso = desk.series("AWS ISO 27001", ["pe-3"], kind="certificate", scheme="iso")
    desk.rely(
        desk.report(
            iso, D(2024, 11, 20), D(2027, 11, 19), services=["*"], regions=["*"]
        )
    )
    found = desk.answer("pe-3", DAY)
    assert found.facts.responsibility == "inherited"
    assert (found.status.aws_half, found.status.verdict) == ("missing", "unproven")
    assert "impact_below_baseline" in codes(found.status.reasons)
    supporting = {
        r.subject for r in found.status.reasons if r.code == "supporting_only"
    }
    assert supporting == {"AWS SOC 2", "AWS ISO 27001"}
    body = desk.over_the_api(client, "pe-3", DAY)
    assert (body["aws_half"], body["verdict"]) == ("missing", "unproven")
    assert [row["state"] for row in body["providers"]] == ["missing"]


def test_govcloud_high_proves_while_it_is_active(oscar, client, settings):
    """R20, R28: proven by the provider alone; lapsed from the day it was revoked."""
    settings.MFA_REQUIRED = False
    desk = describe(oscar, "aws-us-gov", "us-gov-west-1", "ec2")
    report = authorized(desk, "FedRAMP GovCloud", "high", "aws-us-gov", "us-gov-west-1")
    found = desk.answer("pe-3", DAY)
    assert (found.status.aws_half, found.status.verdict) == ("proven", "proven")
    assert proven_by(found) == "providers"
    register.end_version(report, state="revoked", on=D(2026, 10, 1), by=oscar)
    assert desk.answer("pe-3", D(2026, 8, 31)).status.aws_half == "proven"
    assert desk.answer("pe-3", D(2026, 9, 30)).status.verdict == "proven"
    found = desk.answer("pe-3", D(2026, 10, 1))
    assert found.status.aws_half == "lapsed"
    assert "revoked" in codes(found.status.reasons)
    assert found.period.aws_days.open_days == 1
    body = desk.over_the_api(client, "pe-3", D(2026, 10, 1))
    assert body["aws_half"] == "lapsed"


def test_a_service_outside_the_boundary_is_an_external_one(oscar):
    """R23: its part is open, and it is named."""
    desk = describe(oscar, "aws-us-gov", "us-gov-west-1", "ec2", "bedrock")
    authorized(desk, "FedRAMP GovCloud", "high", "aws-us-gov", "us-gov-west-1")
    found = desk.answer("pe-3", DAY)
    assert found.status.aws_half == "missing"
    outside = [
        r for r in found.status.reasons if r.code == "external_service_unauthorized"
    ]
    assert {r.subject for r in outside} == {"bedrock"}
