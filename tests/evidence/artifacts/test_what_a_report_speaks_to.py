"""R24: a registrar says line by line what a report speaks to; copied and proposed
lines are nobody's word until a person confirms them; nothing cited elsewhere moves.
One file: one story, at each of its doors.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook
from rest_framework.test import APIClient

from controls.models import AuditEvent
from evidence.artifacts.citations import proposed_controls
from evidence.artifacts.register import end_version
from evidence.models import ArtifactVersion, Citation, CoverageLine
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
HEADER = "Control,Section,Page,Provider's own number\n"


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def report(house) -> ArtifactVersion:
    artifact = factories.make_artifact(house.olivia, [])
    return factories.make_report(artifact, TODAY - 200 * DAY, TODAY - DAY)


def address(report, verb: str = "") -> str:
    name = f"evidence:version_coverage{verb and '_'}{verb}"
    return reverse(name, args=[report.uuid])


def send(client, report, content: str | bytes, name: str = "list.csv"):
    data = content.encode() if isinstance(content, str) else content
    return client.post(
        address(report, "preview"), {"file": SimpleUploadedFile(name, data)}
    )


def lines(report) -> dict[str, tuple[str, str, str, str, bool]]:
    return {
        f"{line.control.ref_id}{line.part and ' '}{line.part}": (
            line.section,
            line.page,
            line.provider_control,
            line.origin,
            line.confirmed_by_id is not None,
        )
        for line in report.coverage_lines.for_listing()
    }


def ticks(report, *ref_ids: str) -> list[str]:
    rows = report.coverage_lines.filter(control__ref_id__in=ref_ids)
    return [f"{row.uuid}:{row.version}" for row in rows]


def verbs() -> list[str]:
    events = AuditEvent.objects.filter(verb__startswith="coverage.")
    return list(events.order_by("seq").values_list("verb", flat=True))


def test_lines_are_picked_by_family_and_typed_by_part(client, house, report):
    client.force_login(house.olivia)
    shown = client.get(address(report), {"family": "pe"}).content.decode()
    assert "PE-3" in shown
    assert "usually speaks to" in shown
    sent = {
        "family": "pe",
        "ticked": ["pe-3"],
        "controls": "AC-2(1), ac-02 (a)",
        "section": "IV.B",
        "page": "63",
        "provider_control": "AWSCA-5.1",
        "form_token": "0" * 36,
    }
    for _ in range(2):
        assert client.post(address(report), sent).status_code == 302
    where = ("IV.B", "63", "AWSCA-5.1", "typed", True)
    assert lines(report) == {
        "ac-2 ac-2_smt.a": where,
        "ac-2.1": where,
        "pe-3": where,
    }
    text = client.get(address(report)).content.decode()
    assert "AC-2 (a)" in text
    assert "AWSCA-5.1" in text
    assert verbs() == ["coverage.recorded"]
    for wrong, sentence in (
        ("zz-99", "no control ZZ-99"),
        ("AC-2 (zz)", "has no part"),
        ("hello", "not the id of a control"),
        ("pe-3, PE-03", "named twice"),
        ("", "Name the controls"),
    ):
        answer = client.post(address(report), {"controls": wrong})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert len(lines(report)) == 3

    again = client.post(address(report), {"controls": "pe-3", "page": "64"})
    assert again.status_code == 302
    assert lines(report)["pe-3"][:3] == ("", "64", "")


def test_a_list_is_seen_with_its_faults_then_recorded_once(client, house, report):
    client.force_login(house.olivia)
    faulty = (
        f"\ufeff{HEADER}PE-3,IV.B,63,AWSCA-5.1\nAC-2 (zz),,,\npe-03,,,\n"
        f"AC-2,{'x' * 81},,\nnothing,,,\nac-3.99,,,\n"
    )
    shown = send(client, report, faulty)
    assert shown.status_code == 422
    errors = [str(error) for error in shown.context["preview"].errors]
    assert errors == [
        "Line 3, column A: AC-2 has no part (zz).",
        "Line 4, column A: PE-3 stands in line 2, column A already.",
        "Line 5, column B: At most 80 characters: a reference in your own words, not"
        " the report's text.",
        "Line 6, column A: “nothing” is not the id of a control, such as AC-2(1).",
        "Line 7, column A: There is no control AC-3(99).",
    ]
    assert "token" not in shown.context
    for broken, sentence in (
        ("", "empty"),
        ("Name,Page\nPE-3,1\n", "No line names the columns"),
        (HEADER, "nothing below its headings"),
    ):
        answer = send(client, report, broken)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()

    book = Workbook()
    for row in csv.reader(io.StringIO(f"{HEADER}PE-3,IV.B,63,AWSCA-5.1\nac-2(1),,7,")):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    shown = send(client, report, out.getvalue(), "list.xlsx")
    assert shown.status_code == 200
    assert not CoverageLine.objects.exists()
    token = shown.context["token"]
    for _ in range(2):
        answer = client.post(address(report, "import"), {"token": token})
        assert answer.status_code == 302
    assert lines(report) == {
        "ac-2.1": ("", "7", "", "list", True),
        "pe-3": ("IV.B", "63", "AWSCA-5.1", "list", True),
    }
    assert verbs() == ["coverage.recorded"]
    same = send(client, report, f"{HEADER}PE-3,IV.B,63,AWSCA-5.1\n")
    assert "recorded already" in same.content.decode()

    stale = send(client, report, f"{HEADER}PE-3,IV.B,64,\n").context["token"]
    client.post(address(report), {"controls": "pe-6"})
    answer = client.post(address(report, "import"), {"token": stale})
    assert answer.status_code == 409
    assert "changed since" in answer.content.decode()

    for ending in ("csv", "xlsx"):
        file = client.get(address(report, "template"), {"format": ending})
        assert f".{ending}" in file["Content-Disposition"]
        back = send(client, report, file.content, f"back.{ending}")
        assert "recorded already" in back.content.decode()


def test_copied_and_proposed_lines_prove_nothing_until_confirmed(client, house, report):
    """Unconfirmed lines are offered to no system; a bulk confirmation says why."""
    client.force_login(house.olivia)
    client.post(
        address(report), {"controls": "pe-3, cm-8", "section": "IV", "page": "9"}
    )
    newer = factories.make_report(report.artifact, TODAY - DAY, TODAY, label="next")
    assert client.post(address(newer, "begin"), {"how": "copy"}).status_code == 302
    assert lines(newer) == {
        "cm-8": ("IV", "9", "", "copied", False),
        "pe-3": ("IV", "9", "", "copied", False),
    }
    again = client.post(address(newer, "begin"), {"how": "copy"})
    assert "here already" in again.content.decode()
    answer = client.post(address(newer, "begin"), {"families": ["pe"]})
    assert answer.status_code == 302
    proposed = newer.coverage_lines.filter(origin="proposed")
    assert proposed.exists()
    assert not proposed.confirmed().exists()
    assert client.post(address(newer, "begin"), {"families": ["zz"]}).status_code == 400

    # only the older report's lines are somebody's word
    offered = proposed_controls(report.artifact, house.system)
    assert {control.ref_id for control in offered} <= {"pe-3", "cm-8"}
    url = address(newer, "lines")
    unsaid = client.post(url, {"lines": ticks(newer, "pe-3"), "reason": " "})
    assert unsaid.status_code == 400
    assert "Say why" in unsaid.content.decode()
    sent = {"lines": ticks(newer, "pe-3", "cm-8"), "reason": "Looked up in section IV."}
    assert client.post(url, sent).status_code == 302
    assert client.post(url, sent).status_code == 409  # the lines are newer ones by now
    sent["lines"] = ticks(newer, "pe-3")
    assert client.post(url, sent).status_code == 409
    assert lines(newer)["pe-3"][-1]
    with pytest.raises(IntegrityError), transaction.atomic():
        proposed.update(confirmed_by=house.olivia)
    with pytest.raises(IntegrityError), transaction.atomic():
        newer.coverage_lines.filter(origin="copied").update(
            origin="typed", confirmed_by=None
        )
    removed = client.post(url, {"act": "remove", "lines": ticks(newer, "pe-2", "pe-6")})
    assert removed.status_code == 302
    assert "pe-6" not in lines(newer)
    assert client.post(url, {"lines": ["x:1"], "reason": "r"}).status_code == 400
    assert verbs() == [
        "coverage.recorded",
        "coverage.copied",
        "coverage.proposed",
        "coverage.confirmed",
        "coverage.removed",
    ]


def test_a_system_cites_from_confirmed_lines_and_no_other_moves(client, house, report):
    other = factories.make_system(house.olivia, slug="ledger")
    client.force_login(house.olivia)
    client.post(
        address(report),
        {"controls": "pe-3", "section": "IV.B", "provider_control": "AWSCA-5.1"},
    )
    client.post(address(report, "begin"), {"families": ["pe"]})
    assert not Citation.objects.exists()
    offered = proposed_controls(report.artifact, house.system)
    assert [control.ref_id for control in offered] == ["pe-3"]
    cite = reverse("evidence:cite", args=[report.artifact.uuid])
    client.post(cite, {"system": house.system.slug, "proposed": "on"})
    (citation,) = Citation.objects.all()
    assert citation.system == house.system
    assert citation.citation == "section IV.B, AWSCA-5.1"
    assert not Citation.objects.filter(system=other).exists()
    client.force_login(house.olivia)
    client.post(
        address(report, "lines"), {"act": "remove", "lines": ticks(report, "pe-3")}
    )
    assert Citation.objects.get() == citation
    end_version(
        report, state="withdrawn", on=TODAY, by=house.olivia, reason="Auditor's letter"
    )
    assert proposed_controls(report.artifact, other) == [citation.control]
    assert client.post(address(report), {"controls": "pe-6"}).status_code == 409


def test_readers_read_and_others_change_nothing(client, house, report):
    client.force_login(house.olivia)
    client.post(address(report), {"controls": "pe-3"})
    client.force_login(house.rita)
    page = client.get(address(report)).content.decode()
    assert "PE-3" in page
    assert "Record these lines" not in page
    for verb in ("", "preview", "import", "begin", "lines"):
        assert client.post(address(report, verb), {"how": "copy"}).status_code == 403
    assert len(lines(report)) == 1


def test_the_same_over_the_api(house, report):
    client = APIClient()
    client.force_authenticate(house.olivia)
    url = f"/api/v1/artifact-versions/{report.uuid}/coverage/"
    body = {"lines": [{"control": "PE-3", "section": "IV"}, {"control": "AC-2 (a)"}]}
    made = client.post(url, body, format="json", headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201, made.content
    assert made.json() == {"added": 2, "changed": 0}
    rows = client.get(url).json()["results"]
    assert {row["label"] for row in rows} == {"PE-3", "AC-2 (a)"}
    assert all(row["confirmed"] for row in rows)
    file = SimpleUploadedFile("a.csv", f"{HEADER}PE-6,V,,\nnope,,,\n".encode())
    shown = client.post(f"{url}preview/", {"file": file}, format="multipart").json()
    assert shown["token"] == ""
    assert shown["row_errors"][0]["column"] == "A"
    assert shown["row_errors"][0]["line"] == 3
    file = SimpleUploadedFile("a.csv", f"{HEADER}PE-6,V,,\n".encode())
    shown = client.post(f"{url}preview/", {"file": file}, format="multipart").json()
    made = client.post(f"{url}import/", {"token": shown["token"]}, format="json")
    assert made.json() == {"added": 1, "changed": 0}

    newer = factories.make_report(report.artifact, TODAY - DAY, TODAY, label="next")
    url = f"/api/v1/artifact-versions/{newer.uuid}/coverage/"
    copied = client.post(f"{url}copy-forward/", format="json")
    assert copied.json() == {"added": 3}
    proposed = client.post(f"{url}propose/", {"families": ["cm"]}, format="json")
    assert proposed.status_code == 201
    rows = client.get(url).json()["results"]
    waiting = [row for row in rows if row["origin"] == "copied"]
    assert not any(row["confirmed"] for row in waiting)
    chosen = [{"uuid": r["uuid"], "version": r["version"]} for r in waiting]
    body = {"lines": chosen, "reason": "Looked up."}
    assert client.post(f"{url}confirm/", body, format="json").json() == {"lines": 3}
    assert client.post(f"{url}confirm/", body, format="json").status_code == 409
    chosen = [{"uuid": r["uuid"], "version": 2} for r in waiting]
    gone = client.post(f"{url}remove/", {"lines": chosen}, format="json")
    assert gone.json() == {"lines": 3}
    client.force_authenticate(house.rita)
    assert client.get(url).status_code == 200
    assert client.post(f"{url}copy-forward/", format="json").status_code == 403


def test_many_lines_cost_no_more_statements(client, house, report):
    client.force_login(house.olivia)
    client.post(address(report), {"controls": "pe-3"})

    with CaptureQueriesContext(connection) as few:
        client.get(address(report))
    client.post(address(report, "begin"), {"families": ["pe", "cm", "ac"]})
    with CaptureQueriesContext(connection) as many:
        client.get(address(report))
    assert len(many) == len(few)
    file = client.get(address(report, "template"), {"format": "xlsx"})
    sheet = load_workbook(io.BytesIO(file.content)).active
    assert sheet["A1"].value == "Control"
    assert json.loads(AuditEvent.objects.get(verb="coverage.proposed").body)["lines"]
