"""R25: which reports AWS Artifact lists is read into the register, by three actions
that read; what was read before an error stays, and the reading says what is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from django.core.management import call_command
from django.urls import reverse
from rest_framework.test import APIClient

from controls.models import AuditEvent
from evidence.artifacts.aws_artifact import (
    ArtifactReader,
    ReadingFailed,
    policy_of_role,
)
from evidence.artifacts.listed_reports import RULES
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.sync import ask_for_sync, sync_now
from evidence.models import Artifact, ArtifactSync, ArtifactVersion, ListedReport
from evidence.tasks import sync_artifacts_at_night
from tests.evidence import house as houses
from tests.evidence.artifacts.local_artifact import (
    EXTERNAL_ID,
    ROLE,
    LocalArtifact,
    error,
    listed,
    serving,
)
from tests.evidence.house import House

pytestmark = pytest.mark.django_db
SOC2 = "report-aaaaaaaaaaaaaaaa"
PRIVACY = "report-bbbbbbbbbbbbbbbb"
ISO = "report-cccccccccccccccc"


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def aws(settings, monkeypatch, house) -> Iterator[LocalArtifact]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    local = LocalArtifact(
        reports=[
            listed(SOC2, "AWS SOC 2 Report"),
            listed(PRIVACY, "SOC 2 Privacy Type 2 Report"),
            listed(
                ISO,
                "ISO 27001 2022 Certification",
                series="ISO",
                periodEnd="2028-09-30T00:00:00Z",
            ),
        ]
    )
    with serving(local):
        settings.ARTIFACT_SYNC_ENDPOINT = local.endpoint
        settings.ARTIFACT_SYNC_ROLE = ROLE
        settings.ARTIFACT_SYNC_EXTERNAL_ID = EXTERNAL_ID
        settings.ARTIFACT_SYNC_AS = house.olivia.email
        yield local


def only(operation: str, answer):
    """A fault of one action, each time it is called."""
    return lambda called, query, number: answer if called == operation else None


def test_reports_are_registered_in_the_name_of_who_answers_for_them(aws, house):
    sync = sync_now(by=None)
    assert (sync.state, sync.read, sync.registered, sync.not_placed) == (
        "done", 3, 2, 1,
    )  # fmt: skip
    soc2 = ArtifactVersion.objects.get(artifact__scheme="soc2")
    assert soc2.starts == dt.date(2025, 10, 1)
    assert soc2.last_day == dt.date(2026, 9, 30)
    assert soc2.issued_on == dt.date(2026, 10, 20)
    assert soc2.registered_by == house.olivia
    assert (soc2.service_slugs, soc2.regions) == ([], [])
    assert Artifact.objects.get(scheme="iso").kind == "certificate"
    waits = ListedReport.objects.get(artifact_version=None)
    assert waits.aws_id == PRIVACY
    assert "does not say which series" in waits.not_placed_because
    (request,) = aws.assumed
    assert request["RoleArn"] == [ROLE]
    assert request["ExternalId"] == [EXTERNAL_ID]


@pytest.mark.parametrize(
    "name",
    [
        "SOC 2 Continued Operations Letter",
        "Bridge Letter to SOC 1",
        "SOC 1 Type I Report",
        "SOC 2 Type 1 Report",
        "Privacy SOC 2 Report",
    ],
)
def test_what_only_continues_a_report_is_not_taken_for_one(name):
    """R20, R21: a letter is no report over a period, and design alone another kind."""
    assert not any(rule.name.search(name) for rule in RULES)
    assert any(rule.name.search("AWS SOC 1 Type 2 Report") for rule in RULES)


def test_what_is_called_is_what_the_policy_allows(aws):
    """Least privilege: no action is called that it does not name, and none is named
    that is not called; terms and files are not among them."""
    sync = sync_now(by=None)
    (statement,) = policy_of_role()["Statement"]
    assert {f"artifact:{name}" for name in aws.calls} == set(statement["Action"])
    assert aws.others == []
    assert sync.calls == aws.calls.total()
    assert not {"artifact:GetReport", "artifact:GetTermForReport"} & set(
        statement["Action"]
    )


def test_again_changes_nothing(aws):
    sync_now(by=None)
    known = ArtifactVersion.objects.count(), Artifact.objects.count()
    again = sync_now(by=None)
    assert (again.registered, again.changed, again.failed) == (0, 0, 0)
    assert (ArtifactVersion.objects.count(), Artifact.objects.count()) == known


def test_a_newer_version_comes_beside_the_one_that_is_relied_on(aws, house):
    sync_now(by=None)
    old = ArtifactVersion.objects.get(artifact__scheme="soc2")
    record_reliance(
        old, house.system, conclusion="rely", scope_note="s", period_note="p",
        by=house.rita,
    )  # fmt: skip
    first = aws.reports[0]
    newer = first | {"version": 2, "arn": first["arn"][:-1] + "2"}
    aws.versions[SOC2] = [first, newer]
    sync = sync_now(by=None)
    assert (sync.registered, sync.failed) == (1, 0)
    assert old.artifact.versions.count() == 2
    old.refresh_from_db()
    assert old.state == "active"


def test_one_that_aws_offers_no_more_is_superseded(aws):
    """Superseded takes nothing away."""
    sync_now(by=None)
    aws.reports[0]["state"] = "UNPUBLISHED"
    sync = sync_now(by=None)
    assert sync.changed == 1
    assert ArtifactVersion.objects.get(artifact__scheme="soc2").state == "superseded"
    assert sync_now(by=None).changed == 0


def test_days_that_aws_says_otherwise_are_told_and_not_taken(aws):
    sync_now(by=None)
    aws.reports[0]["periodEnd"] = "2026-10-31T00:00:00Z"
    sync = sync_now(by=None)
    assert sync.state == "partial"
    assert "2026-10-31" in sync.errors[0]["sentence"]
    soc2 = ArtifactVersion.objects.get(artifact__scheme="soc2")
    assert soc2.last_day == dt.date(2026, 9, 30)


def test_a_period_that_has_not_ended_waits(aws):
    aws.reports[0]["periodEnd"] = "2027-03-31T00:00:00Z"
    sync_now(by=None)
    row = ListedReport.objects.get(aws_id=SOC2)
    assert row.artifact_version is None
    assert "days to come" in row.not_placed_because
    assert not Artifact.objects.filter(scheme="soc2").exists()


@pytest.mark.parametrize(
    ("operation", "answer", "sentence"),
    [
        ("ListReportVersions", error(403, "AccessDeniedException"), "not permitted"),
        ("GetReportMetadata", error(403, "AccessDeniedException"), "not permitted"),
        ("GetReportMetadata", error(400, "ValidationException"), "refused with"),
        ("GetReportMetadata", (200, "", b"<html>busy</html>"), "could not be read"),
        ("ListReportVersions", (200, "", b'{"reports": [{"id"'), "could not be read"),
    ],
)
def test_one_action_that_fails_takes_nothing_from_the_rest(
    aws, operation, answer, sentence
):
    aws.fault = only(operation, answer)
    sync = sync_now(by=None)
    assert sync.state == "partial"
    assert (sync.read, sync.registered) == (3, 2)
    assert sentence in sync.errors[0]["sentence"]
    if "permitted" in sentence:
        assert (aws.calls[operation], sync.failed) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (error(403, "AccessDeniedException"), "artifact:ListReports is not permitted"),
        (error(403, "ExpiredTokenException"), "expired or wrong"),
    ],
)
def test_a_reading_that_cannot_begin_says_why(aws, answer, sentence):
    aws.fault = only("ListReports", answer)
    sync = sync_now(by=None)
    assert sync.state == "failed"
    assert sentence in sync.error
    assert AuditEvent.objects.filter(verb="artifact-sync.failed").count() == 1
    assert not ListedReport.objects.exists()


def test_credentials_that_expire_on_the_way(aws):
    aws.fault = lambda operation, query, number: (
        error(403, "ExpiredTokenException")
        if operation == "GetReportMetadata" and number == 2
        else None
    )
    sync = sync_now(by=None)
    assert (sync.state, sync.read, sync.failed) == ("partial", 1, 1)
    assert ArtifactVersion.objects.count() == 1


def test_a_role_that_is_refused(aws):
    aws.refuses_role = True
    sync = sync_now(by=None)
    assert sync.state == "failed"
    assert "sts:AssumeRole is not permitted" in sync.error


@pytest.mark.parametrize("answer", [
    error(429, "ThrottlingException"),
    (500, "", b"<html><h1>Internal Server Error</h1></html>"),
    (200, "truncated", b'{"reports": ['),
])  # fmt: skip
def test_a_second_page_that_never_comes_keeps_the_first(aws, answer):
    """It is asked for four times."""
    aws.fault = lambda operation, query, number: (
        answer if operation == "ListReports" and "nextToken" in query else None
    )
    sync = sync_now(by=None)
    assert (sync.state, sync.read) == ("partial", 2)
    assert sync.failed == 1
    assert aws.calls["ListReports"] > 1


def test_a_slow_down_that_passes_is_no_error(aws):
    aws.fault = lambda operation, query, number: (
        error(429, "ThrottlingException")
        if operation == "ListReports" and number == 1
        else None
    )
    assert sync_now(by=None).state == "done"


def test_pages_that_lead_back_end(aws):
    aws.fault = only(
        "ListReports",
        (200, "", b'{"reports": [], "nextToken": "again"}'),
    )
    sync = sync_now(by=None)
    assert "leads back" in sync.error
    assert aws.calls["ListReports"] == 2


def test_the_shapes_of_the_answers():
    """By botocore's own description of the three actions."""
    client = boto3.client(
        "artifact", region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="secret",
    )  # fmt: skip
    body = {
        "id": SOC2, "version": 1, "name": "SOC 2", "state": "PUBLISHED", "arn": "arn",
        "periodStart": dt.datetime(2025, 10, 1, tzinfo=dt.UTC),
    }  # fmt: skip
    reader = ArtifactReader(client)
    with Stubber(client) as stub:
        stub.add_response("list_reports", {"reports": [body], "nextToken": "2"},
                          {"maxResults": 100})  # fmt: skip
        stub.add_response("list_reports", {"reports": [body | {"version": 2}]},
                          {"maxResults": 100, "nextToken": "2"})  # fmt: skip
        stub.add_response("list_report_versions", {"reports": [body]},
                          {"maxResults": 100, "reportId": SOC2})  # fmt: skip
        stub.add_response(
            "get_report_metadata",
            {"reportDetails": body | {"createdAt": body["periodStart"]}},
            {"reportId": SOC2, "reportVersion": 1},
        )
        stub.add_response("list_reports", {})
        first, second = reader.reports()
        assert (first.aws_version, second.aws_version) == (1, 2)
        assert reader.versions(SOC2) == [first]
        assert reader.details(first).issued_on == dt.date(2025, 10, 1)
        with pytest.raises(ReadingFailed, match="could not be read"):
            list(reader.reports())
        stub.assert_no_pending_responses()
    assert reader.calls == 5


def test_at_night_only_where_it_is_switched_on(aws, settings):
    sync_artifacts_at_night()
    assert not ArtifactSync.objects.exists()
    settings.ARTIFACT_SYNC = True
    sync_artifacts_at_night()
    assert ArtifactSync.objects.get().asked_by is None
    sync_artifacts_at_night()  # one is not over
    assert ArtifactSync.objects.count() == 1


def test_the_command(aws, capsys, settings):
    call_command("sync_artifacts")
    assert "2 registered, 0 changed, 1 to be placed" in capsys.readouterr().out
    aws.fault = only("ListReportVersions", error(403, "AccessDeniedException"))
    with pytest.raises(SystemExit) as ended:
        call_command("sync_artifacts")
    assert ended.value.code == 3
    assert "artifact:ListReportVersions" in capsys.readouterr().out
    settings.ARTIFACT_SYNC_AS = "nobody@example.test"
    with pytest.raises(SystemExit) as ended:
        call_command("sync_artifacts")
    assert ended.value.code == 1
    assert "ARTIFACT_SYNC_AS" in capsys.readouterr().err


def test_the_page_shows_what_aws_has_to_allow_and_asks_for_a_reading(
    client, aws, house
):
    client.force_login(house.olivia)
    url = reverse("evidence:artifact_sync")
    shown = client.get(url).content.decode()
    for (action,) in [[name] for name in policy_of_role()["Statement"][0]["Action"]]:
        assert action in shown
    assert EXTERNAL_ID not in shown
    assert client.post(url).status_code == 302
    sync = ArtifactSync.objects.get()
    assert sync.asked_by == house.olivia
    answer = client.post(url, follow=True)
    assert "being read already" in answer.content.decode()
    client.force_login(house.rita)
    assert client.get(url).status_code == 403
    assert client.post(url).status_code == 403


def test_not_set_up_is_said(client, aws, house, settings):
    settings.ARTIFACT_SYNC_ROLE = ""
    client.force_login(house.olivia)
    url = reverse("evidence:artifact_sync")
    assert "ARTIFACT_SYNC_ROLE not set" in client.get(url).content.decode()
    client.post(url)
    assert not ArtifactSync.objects.exists()


def test_a_registrar_places_what_its_name_does_not_say(client, aws, house):
    sync_now(by=None)
    waits = ListedReport.objects.get(aws_id=PRIVACY)
    series = Artifact.objects.get(scheme="soc2")
    url = reverse("evidence:listed_place", args=[waits.uuid])
    client.force_login(house.rita)
    assert client.post(url, {"artifact": series.uuid}).status_code == 403
    client.force_login(house.olivia)
    client.post(url, {"artifact": ""})
    assert series.versions.count() == 1
    answer = client.post(url, {"artifact": series.uuid})
    version = series.versions.get(listed=waits)
    assert answer["Location"] == reverse("evidence:version_scope", args=[version.uuid])
    assert client.post(url, {"artifact": series.uuid}).status_code in {302, 409}
    assert series.versions.count() == 2
    page = client.get(reverse("evidence:artifact_sync")).content.decode()
    assert PRIVACY in page


def test_over_the_api(aws, house):
    client = APIClient()
    client.force_authenticate(house.olivia)
    made = client.post("/api/v1/artifact-syncs/")
    assert made.status_code == 201
    assert client.post("/api/v1/artifact-syncs/").status_code == 409
    ArtifactSync.objects.update(state="done")
    sync_now(by=house.olivia)
    rows = client.get("/api/v1/listed-reports/").json()["results"]
    (waits,) = [row for row in rows if row["report"] is None]
    series = Artifact.objects.get(scheme="soc2")
    path = f"/api/v1/listed-reports/{waits['uuid']}/place/"
    placed = client.post(path, {"artifact": str(series.uuid)}, format="json")
    assert placed.status_code == 201
    client.force_authenticate(house.rita)
    assert client.post("/api/v1/artifact-syncs/").status_code == 403
    with pytest.raises(Exception, match="registrar"):
        ask_for_sync(by=house.rita)
