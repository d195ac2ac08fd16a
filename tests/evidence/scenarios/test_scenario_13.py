"""Scenario 13: each provider for itself, with its exact numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from controls.models import Role, System
from evidence.artifacts import register
from evidence.models import RequirementControl
from evidence.status.control_status import proven_by
from evidence.systems.describe import Use, add_component, create_system
from tests import factories
from tests.evidence.scenarios.providers import (
    D,
    Desk,
    at,
    by_provider,
    codes,
    days,
    end_of,
)

pytestmark = pytest.mark.django_db(transaction=True)
START, END = D(2025, 10, 1), D(2026, 9, 30)
TODAY, AUTUMN = D(2026, 11, 20), D(2026, 9, 10)
LANDLORD, CARRIER = "Northgate Colocation", "Baltic Carrier"
PERFORMED = (D(2025, 12, 30), D(2026, 3, 30), D(2026, 6, 29), D(2026, 9, 29))


@pytest.fixture
def desk(as_owner: Any, settings: Any, tmp_path: Any) -> Any:
    """S3, a cage of the landlord in FRA1 and a carrier's line; all reports and acts."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    with as_owner():
        made = _described()
        _cage_reviews(made)
        _reports_of_aws(made)
        _report_of_landlord(made)
        yield made


def _described() -> Desk:
    olivia, oscar = factories.make_user("olivia"), factories.make_user("oscar")
    with at(START, 8):
        factories.give_installation_roles(olivia)
        system = System(
            baseline=factories.make_baseline(("pe-3", "cp-8"), slug="two"),
            name="Exchange",
            slug="exchange",
            regime="soc2",
            impact_level="moderate",
            time_zone="UTC",
            window_start=START,
            window_end=END,
        )
        uses = [
            Use(factories.variant("s3"), START, regions=["eu-central-1"]),
            Use(
                factories.variant("colocation-site"),
                START,
                regions=["FRA1"],
                name="FRA1",
                provided_by=LANDLORD,
            ),
            Use(factories.variant("carrier-link"), START, provided_by=CARRIER),
        ]
        owners = {"": factories.make_team()}
        root = factories.administrator()
        create_system(system, uses, owners, by=root, officer=olivia)
        factories.state_implemented(system)
    factories.give_role(oscar, system, Role.OFFICER)
    return Desk(system, olivia, oscar)


def _cage_reviews(desk: Desk) -> None:
    """Our cage review, quarterly, all on time."""
    rows = RequirementControl.objects.filter(
        system=desk.system, implementation__control__ref_id="pe-3"
    )
    with at(START, 8):
        factories.set_terms(
            rows, cadence="quarterly", grace_days=14, operates_from=START
        )
    for day in PERFORMED:
        with at(day + dt.timedelta(days=1)):
            link = factories.make_evidence(
                rows.get(), by=desk.registrar, performed_on=day, title=f"Cage {day}"
            )
            link.accept(by=desk.second)


def _reports_of_aws(desk: Desk) -> None:
    everywhere = {"services": ["*"], "regions": ["eu-central-1"]}
    with at(D(2026, 5, 4)):
        artifact = desk.series("AWS SOC 2", ["pe-3", "cp-8"])
        first = desk.report(artifact, START, D(2026, 3, 31), **everywhere)
    with at(D(2026, 5, 5)):
        desk.rely(first)
    with at(D(2026, 11, 10)):
        second = desk.report(artifact, D(2026, 4, 1), END, **everywhere)
    with at(D(2026, 11, 12)):
        desk.rely(second)


def _report_of_landlord(desk: Desk) -> None:
    with at(D(2026, 9, 16)):
        artifact = desk.series("Northgate SOC 2", ["pe-3"], provider=LANDLORD)
        report = desk.report(artifact, D(2025, 7, 1), D(2026, 6, 30), sites=["FRA1"])
        register.add_letter(
            report, issued_on=D(2026, 9, 15), ends=D(2026, 9, 15), by=desk.registrar
        )
    with at(D(2026, 9, 17)):
        desk.rely(report)


def test_the_landlord_decides_and_is_named(desk, client):
    """R3, R21, R22: AWS 365/0/0, landlord 273/77/15, lapsed since 28 September."""
    found = desk.answer("pe-3", TODAY)
    aws, landlord = (
        found.period.aws_days.of_provider(slug)
        for slug in ("aws", "northgate-colocation")
    )
    assert days(aws) == (365, 0, 0, 0)
    assert days(landlord) == (273, 77, 0, 15)
    assert landlord.open_ranges == ((D(2026, 9, 16), END),)
    assert days(found.period.aws_days) == (273, 77, 0, 15)
    assert by_provider(found) == {
        "AWS": ("proven", D(2026, 12, 29)),
        LANDLORD: ("lapsed", D(2026, 9, 28)),
    }
    assert (found.status.aws_half, found.status.verdict) == ("lapsed", "partly")
    assert found.status.customer_half == "proven"
    (why,) = [r for r in found.status.reasons if r.code == "report_lapsed"]
    assert LANDLORD in why.sentence
    assert found.period.result == "exceptions"

    body = desk.over_the_api(client, "pe-3", TODAY)
    said = {row["provider"]: row for row in body["providers"]}
    assert body["aws_half"] == "lapsed"
    assert said["aws"]["state"] == "proven"
    assert said["northgate-colocation"]["until"] == "2026-09-28"
    assert [
        said["northgate-colocation"][f"{kind}_days"]
        for kind in ("audited", "asserted", "awaited", "open")
    ] == [273, 77, 0, 15]


def test_ten_days_before_the_end_as_known_then(desk, client):
    """R20, R22: neither provider's half was proven, and both are named."""
    then = end_of(AUTUMN)
    found = desk.answer("pe-3", AUTUMN, then)
    assert found.status.aws_half == "missing"
    assert by_provider(found) == {
        "AWS": ("lapsed", D(2026, 6, 29)),
        LANDLORD: ("missing", None),
    }
    assert {"no_artifact", "report_lapsed"} <= codes(found.status.reasons)
    named = [r.subject for r in found.status.reasons if r.code == "no_artifact"]
    assert named == [LANDLORD]
    landlord = found.period.aws_days.of_provider("northgate-colocation")
    assert days(landlord) == (0, 0, 0, 345)
    assert days(found.period.aws_days.of_provider("aws")) == (182, 0, 0, 163)
    body = desk.over_the_api(client, "pe-3", AUTUMN, then)
    assert (body["aws_half"], len(body["providers"])) == ("missing", 2)


def test_the_same_day_with_todays_knowledge(desk):
    """R22, R28: expiring by the landlord from 30 August, and proven by both halves."""
    found = desk.answer("pe-3", AUTUMN)
    assert by_provider(found)[LANDLORD] == ("expiring", D(2026, 9, 28))
    assert (found.status.aws_half, found.status.verdict) == ("expiring", "proven")
    assert proven_by(found) == "both"
    before = desk.answer("pe-3", D(2026, 8, 29))
    assert before.status.aws_half == "proven"
    assert desk.answer("pe-3", D(2026, 8, 30)).status.aws_half == "expiring"


def test_a_cage_in_another_site_is_a_need_of_its_own(desk, client):
    """R23: the landlord's report names FRA1, so 183 days of AMS3 are open."""
    with at(D(2026, 4, 1), 8):
        use = Use(
            factories.variant("colocation-site"),
            D(2026, 4, 1),
            regions=["AMS3"],
            name="AMS3",
            provided_by=LANDLORD,
        )
        add_component(desk.system, use, by=desk.registrar)
    found = desk.answer("pe-3", TODAY)
    (cage,) = [n for n in found.period.aws_days.services if n.sites == ("AMS3",)]
    assert days(cage) == (0, 0, 0, 183)
    assert days(found.period.aws_days) == (0, 0, 0, 183)
    assert found.status.aws_half == "missing"
    (why,) = [r for r in found.status.reasons if r.code == "site_out_of_scope"]
    assert "AMS3" in why.subject
    body = desk.over_the_api(client, "pe-3", TODAY)
    assert "site_out_of_scope" in {row["code"] for row in body["reasons"]}


def test_a_carrier_without_report_is_assessed_by_us(desk, client):
    """R20: our own assessment counts for twelve months, and its days as asserted."""
    moved = desk.answer("pe-3", TODAY)
    found = desk.answer("cp-8", TODAY)
    assert days(found.period.aws_days.of_provider("baltic-carrier")) == (0, 0, 0, 365)
    assert by_provider(found)[CARRIER] == ("missing", None)
    assert found.status.aws_half == "missing"
    assert found.status.verdict != "proven"
    with at(D(2026, 3, 10)):
        own = {"kind": "assessment", "scheme": "own", "provider": CARRIER}
        artifact = desk.series("Baltic assessment", ["cp-8"], **own)
        visit = desk.report(artifact, D(2026, 3, 10), None, sites=["carrier-link"])
    with at(D(2026, 3, 10), 15):
        desk.rely(visit)
    found = desk.answer("cp-8", TODAY)
    carrier = found.period.aws_days.of_provider("baltic-carrier")
    assert days(carrier) == (0, 205, 0, 160)
    assert by_provider(found)[CARRIER] == ("proven", D(2027, 3, 9))
    assert by_provider(found)["AWS"] == ("proven", D(2026, 12, 29))
    body = desk.over_the_api(client, "cp-8", TODAY)
    said = {row["provider"]: row for row in body["providers"]}
    assert said["baltic-carrier"]["asserted_days"] == 205
    # Neither report nor assessment of one provider moves another.
    assert by_provider(desk.answer("pe-3", TODAY)) == by_provider(moved)
