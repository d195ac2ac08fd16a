"""A report says nothing of days to come, of other partitions, or against itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from controls.errors import Refused, TransitionNotAllowed
from controls.models import AuditEvent, ServiceVariant, System
from evidence.artifacts import register
from evidence.artifacts.citations import cite, controls_of_provider
from evidence.artifacts.reliance_scope import scope_lines
from evidence.models import ArtifactVersion, ContinuityLetter, RelianceReview
from evidence.status.reports import names
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + dt.timedelta(days=1)
READ = {"scope_note": "Services compared", "period_note": "Ends in March"}


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def soc2(house):
    return register.register_artifact(
        title="SOC 2", series="soc2", kind="period", scheme="soc2", by=house.olivia
    )


@pytest.fixture
def report(house, soc2) -> ArtifactVersion:
    return register.register_version(
        soc2,
        label="Spring",
        starts=dt.date(2025, 10, 1),
        ends=dt.date(2026, 3, 31),
        services=["s3", "ec2"],
        regions=["us-east-1"],
        opinion="Adverse",
        by=house.olivia,
    )


REPORT = {"label": "Autumn", "starts": "2026-04-01", "ends": TOMORROW.isoformat()}


def test_no_report_over_a_period_ends_after_today(client, house, soc2):
    """R20, R21: no auditor has seen days to come; page and API alike."""
    client.force_login(house.olivia)
    form = REPORT | {"services": ["s3"], "regions": "us-east-1", "partition": "aws"}
    page = client.post(reverse("evidence:version_new", args=[soc2.uuid]), form)
    assert "cannot speak of days to come" in page.content.decode()
    answer = client.post(
        f"/api/v1/artifacts/{soc2.uuid}/versions/",
        REPORT | {"services": ["s3"], "regions": ["us-east-1"]},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert "days to come" in answer.json()["errors"]["ends"][0]
    assert not ArtifactVersion.objects.exists()
    form["ends"] = TODAY.isoformat()
    client.post(reverse("evidence:version_new", args=[soc2.uuid]), form)
    assert ArtifactVersion.objects.get().until == TOMORROW


def test_an_end_is_announced_a_year_ahead_and_put_right_by_an_earlier_one(
    house, report
):
    """R20: a revocation typed for a far day takes nothing away, so none is recorded;
    a day that was too late is followed by the right one, never by a later one."""
    far = TODAY + dt.timedelta(days=400)
    with pytest.raises(Refused, match="a year ahead"):
        register.end_version(report, state="revoked", on=far, by=house.olivia)
    late, right = TODAY + dt.timedelta(days=30), TODAY
    for day in (late, right):
        report.refresh_from_db()
        register.end_version(report, state="revoked", on=day, by=house.olivia)
    report.refresh_from_db()
    assert report.ended_on == right
    with pytest.raises(TransitionNotAllowed):
        register.end_version(report, state="revoked", on=late, by=house.olivia)


def test_no_report_speaks_of_a_century(house, soc2):
    """R20: a first day typed wrong is no proof of the years between."""
    with pytest.raises(Refused, match="so many years"):
        register.register_version(
            soc2,
            label="Typed wrong",
            starts=dt.date(1925, 10, 1),
            ends=dt.date(2026, 3, 31),
            services=["s3"],
            regions=["us-east-1"],
            by=house.olivia,
        )


def test_a_certificate_is_valid_in_the_future(house):
    iso = register.register_artifact(
        title="ISO 27001",
        series="iso",
        kind="certificate",
        scheme="iso",
        by=house.olivia,
    )
    register.register_version(
        iso, label="2026", starts=TODAY, ends=TOMORROW, services=["*"], by=house.olivia
    )


def test_no_letter_is_issued_after_today(client, house, report):
    client.force_login(house.olivia)
    said = {"issued_on": TOMORROW.isoformat(), "ends": "2026-06-30"}
    page = client.post(reverse("evidence:letter_new", args=[report.uuid]), said)
    assert "The letter is not issued before" in page.content.decode()
    answer = client.post(
        f"/api/v1/artifact-versions/{report.uuid}/letters/",
        said,
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert "issued_on" in answer.json()["errors"]
    assert not ContinuityLetter.objects.exists()


def test_a_letter_before_its_report_ended_continues_nothing(client, house, report):
    """R21: its range starts the day after the report, and counts to its issue."""
    client.force_login(house.olivia)
    said = {"issued_on": "2026-03-31", "ends": "2026-06-30"}
    page = client.post(reverse("evidence:letter_new", args=[report.uuid]), said)
    words = " ".join(page.content.decode().split())
    assert "A letter issued on 2026-03-31 continues nothing" in words
    api = f"/api/v1/artifact-versions/{report.uuid}/letters/"
    answer = client.post(api, said, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["issued_on"])
    assert not ContinuityLetter.objects.exists()
    said["issued_on"] = "2026-04-01"
    assert client.post(api, said, content_type="application/json").status_code == 201


def test_a_second_report_of_the_same_days_is_told_on_every_door(
    client, house, soc2, report
):
    """R20: one may replace the other, and then somebody records which."""
    client.force_login(house.olivia)
    url = reverse("evidence:version_new", args=[soc2.uuid])
    said = {
        "label": "Spring",
        "starts": "2025-10-01",
        "ends": "2026-03-31",
        "services": ["s3"],
        "regions": ["us-east-1"],
        "partition": "aws",
        "opinion": "unqualified",
    }
    taken = client.post(url, said)
    assert taken.status_code == 400
    sentence = "A report of this series is called “Spring” already."
    assert sentence in taken.content.decode()
    api = f"/api/v1/artifacts/{soc2.uuid}/versions/"
    answer = client.post(api, said, content_type="application/json")
    assert sentence in answer.json()["errors"]["label"][0]
    page = client.post(url, said | {"label": "Spring, corrected"}, follow=True)
    words = " ".join(page.content.decode().split())
    assert "“Spring” speaks of the same days: record which of them" in words
    assert words.count("speaks of the same days. If one of the two replaces") == 2
    other = client.get(f"/api/v1/artifact-versions/{report.uuid}/").json()
    assert other["same_days_as"] == ["Spring, corrected"]
    ended = {"state": "superseded", "on": TODAY, "by": house.olivia}
    register.end_version(report, **ended)
    series = client.get(f"/api/v1/artifacts/{soc2.uuid}/").json()
    assert [row["same_days_as"] for row in series["versions"]] == [[], []]


def test_only_an_authorization_stands_without_an_end(client, house, soc2):
    """R20: a report over a period without a last day would cover every day to come, a
    certificate would never expire, and no report of one date speaks of others."""
    client.force_login(house.olivia)

    def brought(kind: str, scheme: str, **days: Any) -> dict[str, Any]:
        artifact = register.register_artifact(
            title=kind, series=f"x-{kind}", kind=kind, scheme=scheme, by=house.olivia
        )
        body = {"label": "1", "starts": "2026-01-01", "ends": None, "services": ["s3"]}
        return client.post(
            f"/api/v1/artifacts/{artifact.uuid}/versions/",
            body | days,
            content_type="application/json",
        )

    later = TOMORROW.isoformat()
    assert "ends" in brought("period", "c5").json()["errors"]
    assert "ends" in brought("certificate", "iso").json()["errors"]
    assert "ends" in brought("point", "pci", ends=later).json()["errors"]
    assert brought("authorization", "fedramp").json()["until"] is None
    one_day = register.register_artifact(
        title="Type I", series="t1", kind="point", scheme="soc2", by=house.olivia
    )
    address = f"/api/v1/artifacts/{one_day.uuid}/versions/"
    body = {"label": "1", "starts": later, "ends": None, "services": ["s3"]}
    told = client.post(address, body, content_type="application/json")
    assert "starts" in told.json()["errors"]
    body |= {"starts": "2026-01-01", "issued_on": later}
    told = client.post(address, body, content_type="application/json")
    assert "issued_on" in told.json()["errors"]
    body |= {"issued_on": None}
    made = client.post(address, body, content_type="application/json").json()
    assert made["until"] == "2026-01-02"
    letter = {"issued_on": "2026-02-01", "ends": "2026-02-01"}  # R21
    told = client.post(
        f"/api/v1/artifact-versions/{made['uuid']}/letters/",
        letter,
        content_type="application/json",
    )
    assert "over a period" in told.json()["detail"]
    form = {"label": "1", "starts": "2026-01-01", "partition": "aws"}
    page = client.post(reverse("evidence:version_new", args=[soc2.uuid]), form)
    assert "Say its last day" in page.content.decode()


@pytest.mark.parametrize(
    "opinion", ["Adverse", "Disclaimer", "qualified", "Unqualified except for CC6.1"]
)
def test_an_adverse_opinion_is_not_relied_on_as_it_stands(
    client, house, report, opinion
):
    """R20, R24: with our response it may be, or not at all; never just so."""
    ArtifactVersion.objects.update(opinion=opinion)
    client.force_login(house.rita)
    page = reverse("evidence:reliance", args=["shop", report.uuid])
    shown = client.post(page, READ | {"conclusion": "rely"}).content.decode()
    assert "cannot be relied on as it is" in shown
    answer = client.post(
        f"/api/v1/artifact-versions/{report.uuid}/reliance/",
        READ | {"conclusion": "rely", "system": "shop"},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert "conclusion" in answer.json()["errors"]
    assert not RelianceReview.objects.exists()
    client.post(page, READ | {"conclusion": "do-not-rely"})
    assert RelianceReview.objects.get().conclusion == "do-not-rely"
    ArtifactVersion.objects.update(opinion="Unqualified opinion")
    client.post(page, READ | {"conclusion": "rely"})
    assert RelianceReview.objects.latest("pk").conclusion == "rely"


def test_a_family_that_does_not_exist_is_an_error(client, house, soc2):
    client.force_login(house.olivia)
    before = AuditEvent.objects.count()
    page = client.post(
        reverse("evidence:cite", args=[soc2.uuid]),
        {"system": "shop", "family": "zz"},
    )
    assert "There is no family “zz”" in page.content.decode()
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    ("partition", "region"),
    [
        ("aws-us-gov", "us-east-1"),
        ("aws", "us-gov-west-1"),
        ("aws", "cn-north-1"),
        ("aws-cn", "eu-west-1"),
    ],
)
def test_no_component_lies_in_another_partition(client, house, partition, region):
    """R23: no account of one partition reaches a region of another."""
    System.objects.filter(pk=house.system.pk).update(partition=partition)
    client.force_login(house.olivia)
    before = house.system.components.count()
    answer = client.post(
        "/api/v1/systems/shop/components/",
        {"service": "sqs", "used_from": "2026-01-01", "regions": [region]},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert region in str(answer.json()["errors"]["regions"])
    variant = ServiceVariant.objects.get(service__slug="sqs", is_default=True)
    page = client.post(
        reverse("evidence:component_add", args=["shop"]),
        {"variant": variant.pk, "used_from": "2026-01-01", "regions": region},
    )
    assert region in page.content.decode()
    assert house.system.components.count() == before


def test_a_service_without_a_region_is_in_no_reports_regions(client, house, report):
    """R23: where a system uses a service is needed to say that a report covers it."""
    artifact, system = report.artifact, house.system
    cite(artifact, system, controls_of_provider(artifact, system), by=house.olivia)
    ArtifactVersion.objects.update(opinion="unqualified")
    client.force_login(house.rita)
    page = reverse("evidence:reliance", args=["shop", report.uuid])
    client.post(page, READ | {"conclusion": "rely"})
    house.system.components.update(regions=[])
    client.force_login(house.olivia)
    page = client.get(
        reverse("evidence:control", args=["shop", "pe-3"]), {"on": "2026-03-01"}
    ).content.decode()
    assert "names no region, and SOC 2 covers only some" in page


def test_every_region_is_every_region_of_its_partition(system, oscar, olga, as_user):
    """R20: a report of the commercial partition proves nothing in GovCloud."""
    artifact = factories.make_artifact(oscar, ["pe-3"])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY)
    factories.rely_on(report, system, by=olga)
    address = f"/api/v1/systems/{system.slug}/controls/pe-3/"
    here = as_user(oscar).get(address).json()
    assert (here["verdict"], here["proven_by"]) == ("proven", "providers")
    System.objects.filter(pk=system.pk).update(partition="aws-us-gov")
    there = as_user(oscar).get(address).json()
    assert there["verdict"] == "unproven"
    assert "other_partition" in str(there)


def test_all_beside_names_is_all_and_where_it_was_kept_the_names(client, house, soc2):
    """R23: one rule for the page of the review and for the verdict."""
    days = {"starts": dt.date(2025, 10, 1), "ends": dt.date(2026, 3, 31)}
    scope = {"services": ["s3", "*"], "regions": ["*", "eu-south-2"]}
    new = register.register_version(
        soc2, label="Spring", **days, **scope, by=house.olivia
    )
    assert (new.service_slugs, new.regions) == (["*"], ["*"])
    old = factories.make_report(
        soc2, *days.values(), services=["*", "s3"], regions=["*", "eu-south-2"]
    )
    for report, everything in ((new, True), (old, False)):
        assert names(report.service_slugs, "ec2") is everything
        codes = {line.code for line in scope_lines(house.system, report)}
        assert (not codes & {"service-out", "region-out"}) is everything
