"""R23: a registrar says a report's scope by a list in AWS's own words, reviews what
each line means, and confirms it once; nothing is written before."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from openpyxl import Workbook
from rest_framework.test import APIClient

from controls.models import AuditEvent, PublishedService, Service
from evidence.artifacts.register import end_version
from evidence.artifacts.reliance import record_reliance
from evidence.models import Artifact, ArtifactVersion
from evidence.planning.my_work import unread_reports
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
PASTED = (
    "\ufeffAmazon Elastic Compute Cloud (Amazon EC2)\n"
    "\n"
    "• Amazon Simple Storage Service (S3) [excludes nothing]\n"
    "AWS Identity & Access Management (IAM)\t✓\t✓\n"
    "3. Europe (Frankfurt)\n"
    "US East (Northern Virginia)\n"
    "us-west-2 eu-west-1, lambda; RDS\n"
    "Amazon Lamda\n"
    "Region: GovCloud us-gov-west-1\n"
)


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def report(house) -> ArtifactVersion:
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    return factories.make_report(
        artifact, TODAY - 200 * DAY, TODAY - DAY, services=["ebs"], regions=[]
    )


def page(client, report, **sent):
    url = reverse("evidence:version_scope", args=[report.uuid])
    return client.post(url, {"how": "add"} | sent)


def confirm(client, report, token, **more):
    url = reverse("evidence:version_scope_confirm", args=[report.uuid])
    return client.post(url, {"token": token} | more)


def scope_events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb="artifact-version.scoped"))


def test_a_pasted_list_is_reviewed_and_recorded_once(client, house, report):
    client.force_login(house.olivia)
    shown = page(client, report, text=PASTED)
    proposal = shown.context["proposal"]
    meant = [
        (row.name.line, row.service.slug if row.service else row.region)
        for row in proposal.matched
    ]
    assert meant == [
        (1, "ec2"),
        (3, "s3"),
        (4, "iam"),
        (5, "eu-central-1"),
        (6, "us-east-1"),
        (7, "us-west-2"),
        (7, "eu-west-1"),
        (7, "lambda"),
        (7, "rds"),
    ]
    assert [row.name.line for row in proposal.unmatched] == [8, 9]
    typo, foreign = proposal.unmatched
    assert "lambda" in [service.slug for service in typo.candidates]
    assert "another partition" in foreign.sentence
    text = shown.content.decode()
    assert "Amazon Lamda" in text
    assert "Nothing is written yet" in text
    report.refresh_from_db()
    assert (report.service_slugs, report.regions) == (["ebs"], [])
    assert not scope_events()

    token = shown.context["token"]
    for _ in range(2):
        assert confirm(client, report, token).status_code == 302
    report.refresh_from_db()
    assert report.service_slugs == ["ebs", "ec2", "iam", "lambda", "rds", "s3"]
    assert report.regions == ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"]
    assert set(report.services.values_list("slug", flat=True)) == set(
        report.service_slugs
    )
    (event,) = scope_events()
    assert json.loads(event.body)["added"]["regions"] == report.regions
    assert report.version == 2


def test_what_a_line_may_mean_is_chosen_in_the_review(client, house, report):
    client.force_login(house.olivia)
    shown = page(client, report, text="Amazon Lamda")
    token = shown.context["token"]
    answer = confirm(client, report, token, also=["lambda", "kms"])
    assert answer.status_code == 400
    assert "did not offer kms" in answer.content.decode()
    confirm(client, report, token, also=["lambda"])
    report.refresh_from_db()
    assert report.service_slugs == ["ebs", "lambda"]
    assert confirm(client, report, token).status_code == 422
    assert confirm(client, report, token, also=["lambda"]).status_code == 302


def test_a_list_that_is_the_whole_scope(client, house, report):
    client.force_login(house.olivia)
    shown = page(client, report, text="S3", how="replace")
    assert [change.heading for change in shown.context["proposal"].changed_parts] == [
        "Come in: services",
        "Go out: services",
    ]
    confirm(client, report, shown.context["token"])
    report.refresh_from_db()
    assert report.service_slugs == ["s3"]


def workbook() -> bytes:
    book = Workbook()
    for row in [
        ["Service", "Note", "In scope"],
        ["Amazon S3", "RDS", "yes"],
        ["AWS Lambda", "", "no"],
    ]:
        book.active.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "scope.csv",
            "\ufeffService;Note;In scope\nAmazon S3;RDS;yes\nAWS Lambda;;no\n".encode(),
        ),
        ("scope.xlsx", workbook()),
    ],
)
def test_a_file_with_columns(client, house, report, name, content):
    """Other columns are left aside, and a line that says no is not in scope."""
    client.force_login(house.olivia)
    shown = page(client, report, file=SimpleUploadedFile(name, content))
    proposal = shown.context["proposal"]
    assert [row.service.slug for row in proposal.matched] == ["s3"]
    assert [row.name.line for row in proposal.excluded] == [3]
    confirm(client, report, shown.context["token"])
    report.refresh_from_db()
    assert report.service_slugs == ["ebs", "s3"]


def test_names_that_aws_publishes(client, house, report):
    """A prefix that several services share means none by itself."""
    s3, ec2 = Service.objects.filter(slug__in=["s3", "ec2"]).order_by("-slug")
    for number, (service, aws_id) in enumerate([(s3, "ObjectStore"), (ec2, "Fleet")]):
        PublishedService.objects.create(
            service=service,
            component=f"00000000-0000-4000-8000-00000000000{number}",
            aws_id=aws_id,
            title=f"AWS {aws_id}",
            prefixes=["sharedprefix"],
            file="x.json",
        )
    client.force_login(house.olivia)
    proposal = page(client, report, text="AWS ObjectStore\nsharedprefix\n").context[
        "proposal"
    ]
    assert [row.service.slug for row in proposal.matched] == ["s3"]
    (unclear,) = proposal.unmatched
    assert {service.slug for service in unclear.candidates} == {"s3", "ec2"}


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Paste a list or choose a file"),
        ({"text": "\ufeff \n\n"}, "Paste a list or choose a file"),
        ({"text": "Moon base\nMars"}, "Nothing of this would change the scope"),
        ({"text": "ebs"}, "Nothing of this would change the scope"),
        ({"text": "s3\n" * 5001}, "more than 5,000 lines"),
    ],
)
def test_what_cannot_be_read_is_said(client, house, report, sent, sentence):
    client.force_login(house.olivia)
    answer = page(client, report, **sent)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not scope_events()


def test_lines_not_understood_are_named_even_where_nothing_is(client, house, report):
    client.force_login(house.olivia)
    text = page(client, report, text="\n\nqqqqqqqqqqqq").content.decode()
    assert "qqqqqqqqqqqq" in text
    assert 'data-label="Line:">3</td>' in text


def test_a_report_that_changed_since_is_looked_at_again(client, house, report):
    client.force_login(house.olivia)
    first = page(client, report, text="s3").context["token"]
    second = page(client, report, text="rds").context["token"]
    assert confirm(client, report, second).status_code == 302
    answer = confirm(client, report, first)
    assert answer.status_code == 409
    assert "changed since" in answer.content.decode()
    assert len(scope_events()) == 1


def test_the_token_is_of_the_person_who_looked(client, house, report):
    client.force_login(house.olivia)
    token = page(client, report, text="s3").context["token"]
    factories.give_installation_roles(house.rita, "registrar")
    client.force_login(house.rita)
    assert confirm(client, report, token).status_code == 409
    assert confirm(client, report, "broken").status_code == 409
    assert not scope_events()


def test_a_reviewed_report_keeps_its_scope(client, house, report):
    """R24: what verdicts rest on does not change without a second person."""
    client.force_login(house.olivia)
    token = page(client, report, text="s3").context["token"]
    record_reliance(
        report, house.system, conclusion="rely", scope_note="s", period_note="p",
        by=house.rita,
    )  # fmt: skip
    for answer in (
        client.get(reverse("evidence:version_scope", args=[report.uuid])),
        page(client, report, text="s3"),
        confirm(client, report, token),
    ):
        assert answer.status_code == 409
        assert "register the report anew" in answer.content.decode()
    artifact = client.get(reverse("evidence:artifact", args=[report.artifact.uuid]))
    assert "Say its scope by a list" not in artifact.content.decode()


def test_who_set_the_scope_does_not_review_the_report(client, house, report):
    """R24, R32: read from AWS's list in one registrar's name, scoped by another:
    whoever said what is in it does not say alone that it holds."""
    factories.give_installation_roles(house.rita, "registrar")
    client.force_login(house.rita)
    confirm(client, report, page(client, report, text="s3").context["token"])
    review = reverse("evidence:reliance", args=["shop", report.uuid])
    read = {"conclusion": "rely", "scope_note": "s", "period_note": "p"}
    assert "<textarea" not in client.get(review).content.decode()
    assert client.post(review, read).status_code == 403
    answer = client.post(
        f"/api/v1/artifact-versions/{report.uuid}/reliance/",
        read | {"system": "shop"},
        content_type="application/json",
    )
    assert answer.status_code == 403
    assert [one.registered_by_me for one in unread_reports(house.rita)] == [True]
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.rely_on(report, house.system, by=house.rita)
    client.force_login(house.raul)
    assert client.post(review, read).status_code == 302


def test_who_registered_the_series_does_not_review_its_reports(client, house, report):
    """R24, R32: the series says what kind of report it is, and so what it proves."""
    artifact = factories.make_artifact(house.raul, [], title="SOC 1", series="soc1")
    other = factories.make_report(
        artifact, TODAY - 200 * DAY, TODAY - DAY, by=house.olivia
    )
    review = reverse("evidence:reliance", args=["shop", other.uuid])
    read = {"conclusion": "rely", "scope_note": "s", "period_note": "p"}
    client.force_login(house.raul)
    refused = client.post(review, read)
    assert refused.status_code == 403
    assert "or its series" in refused.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.rely_on(other, house.system, by=house.raul)
    client.force_login(house.rita)
    assert client.post(review, read).status_code == 302


def test_an_ended_report_keeps_its_scope(client, house, report):
    end_version(report, state="superseded", on=TODAY, by=house.olivia)
    client.force_login(house.olivia)
    assert page(client, report, text="s3").status_code == 409


def test_sites_of_another_provider(client, house):
    artifact: Artifact = factories.make_artifact(
        house.olivia, [], title="Halls", series="halls", provider="Landlord"
    )
    report = factories.make_report(artifact, TODAY - 9 * DAY, TODAY - DAY, sites=["A"])
    client.force_login(house.olivia)
    rows = house.system.components.order_by("pk")
    rows.filter(pk=rows[0].pk).update(provided_by="Landlord", regions=["fra1"])
    shown = page(client, report, text="FRA1; AMS3\n<b>\n")
    text = " ".join(shown.content.decode().split())
    assert "uses anything of Landlord at A, AMS3: look whether" in text
    assert [row.name.line for row in shown.context["proposal"].unmatched] == [2]
    confirm(client, report, shown.context["token"])
    report.refresh_from_db()
    assert report.sites == ["A", "AMS3", "FRA1"]


def test_the_same_over_the_api(house, report):
    client = APIClient()
    client.force_authenticate(house.olivia)
    base = f"/api/v1/artifact-versions/{report.uuid}"
    shown = client.post(f"{base}/scope-preview/", {"text": "Amazon S3\nqqqqqqqqqqqq"})
    assert shown.status_code == 200
    body = shown.json()
    assert body["matched"] == [{"line": 1, "text": "Amazon S3", "means": "s3"}]
    assert [row["line"] for row in body["unmatched"]] == [2]
    assert body["after"]["services"] == ["ebs", "s3"]
    assert not scope_events()
    made = client.post(f"{base}/scope/", {"token": body["token"]}, format="json")
    assert made.status_code == 201
    assert made.json()["service_slugs"] == ["ebs", "s3"]
    client.force_authenticate(house.rita)
    assert client.post(f"{base}/scope-preview/", {"text": "s3"}).status_code == 403
