"""The file of a provider's report: held by right, opened behind its term (R27)."""

from __future__ import annotations

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from controls.models import AuditEvent, Role
from evidence.files.purge import ended_records
from evidence.held_reports.opening import record_viewing
from evidence.models import (
    Blob,
    DisclosureRecord,
    ReportFile,
    ReportRelease,
    TermConfirmation,
)
from evidence.storage import open_store
from evidence.storage.fsck import check_store
from evidence.submissions.quotas import TooManyFiles
from tests import factories
from tests.evidence import house as houses
from tests.evidence.held_reports.held import RIGHT, hold, open_page, report_pdf
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

WHY = {"reason": "Not ours to keep."}


@pytest.fixture
def house(db, settings, tmp_path):
    """A system that cites AWS's report; oscar is its second officer."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    house.people["oscar"] = houses.person("oscar")
    houses.give(house, "oscar", Role.OFFICER)
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    house.report = factories.make_report(artifact, TODAY, TODAY)
    return house


def page_of(client, house, name: str, path: str, **how):
    sign_in_just_now(client, house.people[name])
    if "data" in how:
        return client.post(path, how["data"], follow=how.get("follow", False))
    return client.get(path)


def test_held_by_right_and_opened_behind_its_term(client, house) -> None:
    document = f"/artifacts/reports/{house.report.uuid}/"
    sign_in_just_now(client, house.olivia)
    form = client.get(f"{document}hold/").content.decode()
    assert "confidential to its provider" in form  # the term comes first
    body = RIGHT | {"file": SimpleUploadedFile("soc2.pdf", report_pdf())}

    unsure = client.post(f"{document}hold/", body | {"confirmed": ""})
    assert unsure.status_code == 400
    assert not ReportFile.objects.exists()
    body["file"] = SimpleUploadedFile("soc2.pdf", report_pdf())
    done = client.post(f"{document}hold/", body, follow=True)
    assert "“soc2.pdf” is held" in done.content.decode()
    file = ReportFile.objects.get()
    assert (file.sha256, file.held_by) == (file.blob.sha256, house.olivia)
    assert AuditEvent.objects.filter(verb="report-file.held").count() == 1

    # the same bytes again make nothing
    body["file"] = SimpleUploadedFile("again.pdf", report_pdf())
    assert client.post(f"{document}hold/", body).status_code == 400
    assert ReportFile.objects.count() == 1

    view = f"/artifacts/files/{file.uuid}/"
    for door in ("view/", "download/"):
        assert client.get(view + door)["Location"] == f"{view}term/"
    assert client.get(f"{view}page/").status_code == 403
    assert not DisclosureRecord.objects.exists()
    assert "passed on" in client.get(f"{view}term/").content.decode()
    assert client.post(f"{view}term/")["Location"] == f"{view}view/"
    assert client.post(f"{view}term/").status_code == 302  # twice writes one row
    assert TermConfirmation.objects.get().person == house.olivia

    shown = client.get(f"{view}view/")
    assert b"Confidential" in shown.content
    assert not DisclosureRecord.objects.exists()  # no page of it was shown yet
    assert client.get(f"{view}page/")["Content-Type"] == "image/png"
    taken = client.get(f"{view}download/")
    assert b"".join(taken.streaming_content) == report_pdf()
    assert "attachment" in taken["Content-Disposition"]
    kinds = DisclosureRecord.objects.values_list("kind", "page", "person_name")
    assert list(kinds) == [("viewed", 1, "Olivia"), ("downloaded", 0, "Olivia")]
    verbs = AuditEvent.objects.filter(verb__startswith="report-file.")
    assert list(verbs.order_by("seq").values_list("verb", flat=True)) == [
        "report-file.held",
        "report-file.term-confirmed",
        "report-file.viewed",
        "report-file.downloaded",
    ]


def test_who_may_open_it_is_one_rule(client, house) -> None:
    """Registrars and officers of citing systems; nobody else, on any door."""
    file = hold(house.report, by=house.olivia)
    view = f"/artifacts/files/{file.uuid}/"
    for name in ("rita", "alice", "ray", "audrey"):
        for door in ("term/", "view/", "page/", "download/"):
            assert page_of(client, house, name, view + door).status_code == 403, door
        shown = page_of(
            client, house, name, f"/artifacts/reports/{file.artifact_version.uuid}/"
        )
        assert file.sha256 in shown.content.decode()  # digest and size only
        assert b"you may not open it" in shown.content
        term = page_of(client, house, name, f"{view}term/", data={})
        assert term.status_code == 403
    assert page_of(client, house, "mallory", f"{view}view/").status_code == 404
    assert open_page(client, house.oscar, file).status_code == 200
    house.report.artifact.citations.all().delete()  # nothing here rests on it now
    assert page_of(client, house, "oscar", f"{view}page/").status_code == 403
    assert page_of(client, house, "olivia", f"{view}term/").status_code == 200
    assert DisclosureRecord.objects.count() == 1


def test_released_to_an_audit_on_purpose_and_taken_back(client, house) -> None:
    file = hold(house.report, by=house.olivia)
    view = f"/artifacts/files/{file.uuid}/"
    audit = house.system.engagements.get()
    body = {"engagement": audit.uuid, "reason": "Asked for in request 7"}
    refused = page_of(client, house, "rita", f"{view}release/", data=body)
    assert refused.status_code == 403
    done = page_of(client, house, "oscar", f"{view}release/", data=body, follow=True)
    assert "may open “soc2.pdf” now" in done.content.decode()
    again = page_of(client, house, "oscar", f"{view}release/", data=body)
    assert again.status_code == 400

    assert open_page(client, house.audrey, file).status_code == 200
    row = DisclosureRecord.objects.get()
    assert (row.person, row.kind) == (house.audrey, "viewed")
    # who else has seen it is not the auditors' business
    listed = f"/artifacts/reports/{house.report.uuid}/disclosures/"
    assert page_of(client, house, "audrey", listed).status_code == 403

    release = ReportRelease.objects.get()
    taken = page_of(
        client, house, "oscar", f"/artifacts/releases/{release.uuid}/take-back/",
        data={},
    )  # fmt: skip
    assert taken.status_code == 302
    assert page_of(client, house, "audrey", f"{view}page/").status_code == 403
    assert DisclosureRecord.objects.count() == 1  # what was seen stays


def test_recipients_by_hand_and_the_list_of_all(client, house) -> None:
    file = hold(house.report, by=house.olivia)
    open_page(client, house.oscar, file)
    listed = f"/artifacts/reports/{house.report.uuid}/disclosures/"
    body = {
        "recipient": "=Vera Customer", "firm": "Customer AG", "given_on": str(TODAY),
        "reason": "Vendor review", "agreement": "NDA of May 2026",
        "file": str(file.uuid),
    }  # fmt: skip
    assert page_of(client, house, "alice", f"{listed}new/").status_code == 403
    for missing in ("recipient", "firm", "reason", "agreement"):
        bad = page_of(
            client, house, "oscar", f"{listed}new/", data=body | {missing: ""}
        )
        assert bad.status_code == 400, missing
    ahead = body | {"given_on": "2027-01-01"}
    assert (
        page_of(client, house, "oscar", f"{listed}new/", data=ahead).status_code == 400
    )
    made = page_of(client, house, "oscar", f"{listed}new/", data=body, follow=True)
    assert "Customer AG" in made.content.decode()
    event = AuditEvent.objects.get(verb="report.given")
    assert event.actor == house.oscar

    table = client.get(f"{listed}list.csv")
    text = b"".join(table.streaming_content).decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [row["kind"] for row in rows] == ["Viewed here", "Copy given outside"]
    assert rows[1]["recipient"] == "'=Vera Customer"  # IN-04
    assert rows[0]["sha256"] == file.sha256
    assert page_of(client, house, "ray", f"{listed}list.csv").status_code == 403
    # append-only, also for who holds the database
    for statement in ("DELETE FROM", "UPDATE"):
        ending = " SET firm = 'x'" if statement == "UPDATE" else ""
        with pytest.raises(DatabaseError), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"{statement} evidence_disclosurerecord{ending}")


def test_the_list_takes_as_many_statements_for_many(client, house) -> None:
    file = hold(house.report, by=house.olivia)
    open_page(client, house.olivia, file)
    listed = f"/artifacts/reports/{house.report.uuid}/disclosures/"
    client.get(listed)
    with CaptureQueriesContext(connection) as one:
        client.get(listed)
    for number in range(30):
        record_viewing(file, by=house.oscar, page=number + 1)
    with CaptureQueriesContext(connection) as many:
        assert "page 30" in client.get(listed).content.decode()
    assert len(many) == len(one)


def test_fsck_sweep_and_purge_know_its_bytes(house) -> None:
    file = hold(house.report, by=house.olivia)
    assert check_store(instant=BEGINS, all_ages=True).findings == []
    open_store().destroy(file.sha256)
    (fault,) = check_store(instant=BEGINS, all_ages=True).findings
    assert str(house.report) in fault.what
    assert ended_records() == []
    # nobody marks them as gone alone, whoever holds the database (AU-07)
    with pytest.raises(DatabaseError), transaction.atomic():
        Blob.objects.update(purged_at=BEGINS)


def test_not_beyond_what_one_person_may_bring_in_a_day(house, settings) -> None:
    settings.TEAM_FILES_PER_DAY = 1
    hold(house.report, by=house.olivia)
    with pytest.raises(TooManyFiles):
        hold(house.report, by=house.olivia, name="more.txt", content=b"more")
    hold(house.report, by=house.oscar, name="more.txt", content=b"more")
