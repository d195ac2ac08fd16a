"""R25, R27: a report fetched from AWS Artifact by a person who saw AWS's term first."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from django.core.management import call_command

from controls.models import AuditEvent
from evidence.artifacts.aws_artifact import (
    FETCHING,
    ReadingFailed,
    policy_of_fetching,
    policy_of_role,
)
from evidence.artifacts.aws_documents import DocumentReader
from evidence.artifacts.sync import sync_now
from evidence.held_reports.fetch import fetch_now
from evidence.models import ListedReport, ReportFetch, ReportFile
from tests import factories
from tests.evidence import house as houses
from tests.evidence.artifacts.local_artifact import (
    EXTERNAL_ID,
    ROLE,
    LocalArtifact,
    error,
    listed,
    serving,
)
from tests.evidence.held_reports.held import RIGHT, report_pdf, term_pdf
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
SOC2 = "report-aaaaaaaaaaaaaaaa"


@pytest.fixture
def house(settings, tmp_path):
    settings.MFA_REQUIRED = False
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


@pytest.fixture
def aws(settings, monkeypatch, house) -> Iterator[LocalArtifact]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    local = LocalArtifact(
        reports=[listed(SOC2, "AWS SOC 2 Report")],
        documents={"term.pdf": term_pdf(), "report.pdf": report_pdf()},
    )
    with serving(local):
        settings.ARTIFACT_SYNC_ENDPOINT = local.endpoint
        settings.ARTIFACT_SYNC_ROLE = ROLE
        settings.ARTIFACT_SYNC_EXTERNAL_ID = EXTERNAL_ID
        settings.ARTIFACT_SYNC_AS = house.olivia.email
        sync_now(by=None)
        local.calls.clear()
        yield local


def asked(client, house, name: str = "olivia"):
    """A person asks for the term; the answer and the page it leads to."""
    sign_in_just_now(client, house.people[name])
    row = ListedReport.objects.get(aws_id=SOC2)
    return client.post(f"/artifacts/aws/{row.uuid}/fetch/")


def test_the_term_comes_first_and_alone_then_the_report(client, aws, house) -> None:
    answer = asked(client, house)
    fetch = fetch_now(ReportFetch.objects.get())
    assert (fetch.state, fetch.file) == ("term", None), fetch.error
    assert "GetReport" not in aws.calls  # nothing is accepted by looking
    page = answer["Location"]
    assert client.get(f"{page}term/")["Content-Type"] == "image/png"
    shown = client.get(page).content.decode()
    assert fetch.term_blob.sha256 in shown
    assert client.post(page, RIGHT | {"confirmed": ""}).status_code == 400
    assert client.post(page, RIGHT | {"agreement": " "}).status_code == 400
    assert client.post(page, RIGHT).status_code == 302
    done = fetch_now(fetch)
    assert done.state == "done", done.error
    file = ReportFile.objects.get()
    assert (done.file, file.held_by) == (file, house.olivia)
    assert file.agreement == RIGHT["agreement"]
    assert file.artifact_version == ListedReport.objects.get().artifact_version
    # least privilege: what is called is what its own policy names
    (statement,) = policy_of_fetching()["Statement"]
    assert {f"artifact:{name}" for name in aws.calls} == set(statement["Action"])
    assert set(statement["Action"]) == set(FETCHING.values())
    assert "artifact:GetReport" not in policy_of_role()["Statement"][0]["Action"]
    verbs = AuditEvent.objects.filter(verb__startswith="report-f").order_by("seq")
    assert [event.verb for event in verbs] == [
        "report-fetch.asked",
        "report-fetch.term-came",
        "report-fetch.term-accepted",
        "report-file.held",
        "report-fetch.done",
    ]
    assert client.post(page, RIGHT).status_code == 409  # twice accepts nothing more


def test_only_keepers_fetch(client, aws, house) -> None:
    for name in ("rita", "alice", "audrey", "ray"):
        assert asked(client, house, name).status_code == 403, name
    asked(client, house)
    fetch = fetch_now(ReportFetch.objects.get())
    assert asked(client, house).status_code == 302  # another one of the same: refused
    assert ReportFetch.objects.count() == 1
    sign_in_just_now(client, house.rita)
    path = f"/artifacts/fetches/{fetch.uuid}/"
    assert client.get(path).status_code == 403
    assert client.get(f"{path}term/").status_code == 403
    assert client.post(path, RIGHT).status_code == 403


def test_another_term_is_shown_anew(client, aws, house) -> None:
    """Accepted is what was shown; a term that changed since is not."""
    page = asked(client, house)["Location"]
    fetch = fetch_now(ReportFetch.objects.get())
    client.post(page, RIGHT)
    aws.term_arn = "arn:aws:artifact:::term/term-1:2"
    fetch = fetch_now(fetch)
    assert (fetch.state, fetch.accepted_by) == ("term", None)
    assert "another term" in fetch.error
    assert "GetReport" not in aws.calls
    assert not ReportFile.objects.exists()


def test_what_fails_says_so_and_holds_nothing(client, aws, house) -> None:
    asked(client, house)
    aws.fault = lambda called, query, number: (
        error(403, "AccessDeniedException") if called == "GetTermForReport" else None
    )
    fetch = fetch_now(ReportFetch.objects.get())
    assert (fetch.state, fetch.error) == (
        "failed",
        "artifact:GetTermForReport: artifact:GetTermForReport is not permitted.",
    )
    aws.fault = lambda *_: None
    aws.documents["term.pdf"] = b"<html>not a term</html>"
    asked(client, house)
    fetch = fetch_now(ReportFetch.objects.latest("pk"))
    assert fetch.state == "failed"
    aws.documents["term.pdf"] = term_pdf()
    aws.elsewhere = "http://169.254.169.254"
    asked(client, house)
    fetch = fetch_now(ReportFetch.objects.latest("pk"))
    assert "not its own" in fetch.error
    assert not ReportFile.objects.exists()


def test_only_addresses_of_aws_are_followed() -> None:
    reader = DocumentReader(None)
    for address in (
        "http://bucket.s3.amazonaws.com/x",
        "https://amazonaws.com.example.test/x",
        "https://localhost/x",
        "file:///etc/passwd",
    ):
        with pytest.raises(ReadingFailed):
            list(reader.pieces(address, "artifact:GetReport"))


def test_the_calls_have_the_shapes_of_the_service() -> None:
    client = boto3.client(
        "artifact", region_name="us-east-1",
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    named = {"reportId": SOC2, "reportVersion": 1}
    place = "https://bucket.s3.us-east-1.amazonaws.com/x"
    with Stubber(client) as stub:
        details = {"id": SOC2, "version": 1, "termArn": "arn:aws:artifact:::term/t-1:1"}
        stub.add_response("get_report_metadata", {"reportDetails": details}, named)
        stub.add_response(
            "get_term_for_report",
            {"documentPresignedUrl": place, "termToken": "a token of the term"},
            named,
        )
        stub.add_response(
            "get_report",
            {"documentPresignedUrl": place},
            named | {"termToken": "a token of the term"},
        )
        reader = DocumentReader(client)
        term = reader.term(SOC2, 1)
        assert reader.report(SOC2, 1, term) == place


def test_by_command_in_two_steps(aws, house, capsys) -> None:
    factories.give_installation_roles(house.rita, "registrar")
    common = ("fetch_report", SOC2, "1", "--as", house.rita.email)
    with pytest.raises(SystemExit) as refused:
        call_command(*common, "--accept-term", "--agreement", "NDA")
    assert refused.value.code == 1  # nothing to accept yet
    with pytest.raises(SystemExit) as waits:
        call_command(*common)
    assert waits.value.code == 3
    assert "AWS's term came" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command(*common, "--accept-term")  # under no agreement
    call_command(*common, "--accept-term", "--agreement", "NDA")
    assert ReportFile.objects.get().held_by == house.rita
