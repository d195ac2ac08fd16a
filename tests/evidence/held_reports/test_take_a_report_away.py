"""R32: a held report goes by two persons; a flagged one is cleared by a second one."""

from __future__ import annotations

import pytest

from controls.models import AuditEvent, Role
from evidence.files.spill_removal import decide_removal, destroy, request_removal
from evidence.held_reports.removal import REPORT_REMOVALS
from evidence.jobs.work import work_on
from evidence.models import (
    DisclosureRecord,
    EvidenceFile,
    Notice,
    ReportFile,
    ReportFileRemoval,
)
from evidence.notices.gathering import gather_notices
from evidence.storage import open_store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.held_reports.held import RIGHT, hold, open_page, report_pdf
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

WHY = {"reason": "The agreement ended."}


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


def posted(client, house, name: str, path: str, body):
    sign_in_just_now(client, house.people[name])
    return client.post(path, body)


def work_of(client, house, name: str) -> str:
    sign_in_just_now(client, house.people[name])
    return client.get("/work/").content.decode()


def test_removed_by_two_persons_and_what_was_seen_stays(client, house) -> None:
    file = hold(house.report, by=house.olivia)
    assert open_page(client, house.oscar, file).status_code == 200
    path = f"/artifacts/files/{file.uuid}/remove/"
    assert posted(client, house, "rita", path, WHY).status_code == 403
    assert posted(client, house, "oscar", path, {"reason": ""}).status_code == 400
    assert posted(client, house, "oscar", path, WHY).status_code == 302
    assert posted(client, house, "olivia", path, WHY).status_code == 409
    removal = ReportFileRemoval.objects.get()
    decide = f"/artifacts/removals/{removal.uuid}/decide/"
    works = {name: work_of(client, house, name) for name in ("olivia", "oscar", "rita")}
    assert [name for name, page in works.items() if decide in page] == ["olivia"]
    assert '<a href="#to-approve">1 request to approve</a>' in works["olivia"]
    yes = {"decision": "approve"}
    assert posted(client, house, "oscar", decide, yes).status_code == 403
    assert posted(client, house, "rita", decide, yes).status_code == 403
    assert posted(client, house, "olivia", decide, {}).status_code == 400
    assert posted(client, house, "olivia", decide, yes).status_code == 302
    assert posted(client, house, "olivia", decide, yes).status_code == 409
    # nobody opens it from now on, although the worker has not come yet
    refused = client.get(f"/artifacts/files/{file.uuid}/page/").status_code
    assert refused in {403, 409}
    assert open_page(client, house.oscar, file).status_code == 409
    assert work_on(REPORT_REMOVALS, removal.pk)
    assert not open_store().has(file.sha256)
    file.blob.refresh_from_db()
    assert file.blob.purged_at is not None
    assert DisclosureRecord.objects.count() == 1
    assert AuditEvent.objects.filter(verb="report-file.removed").count() == 1
    # the same bytes do not come back
    sign_in_just_now(client, house.olivia)
    back = houses.file("back.pdf", report_pdf())
    path = f"/artifacts/reports/{house.report.uuid}/hold/"
    assert client.post(path, RIGHT | {"file": back}).status_code == 400
    assert ReportFile.objects.count() == 1


def test_a_spill_of_the_same_bytes_waits_for_the_report(house) -> None:
    """Bytes go once nothing rests on them: neither evidence nor a held report."""
    houses.submitted(house, "the same bytes")
    proof = EvidenceFile.objects.get()
    file = hold(
        house.report, by=house.olivia, name="notes.txt", content=b"the same bytes"
    )
    assert file.blob_id == proof.blob_id
    spill = request_removal(proof, reason="Spilled", by=house.oscar)
    decide_removal(spill, approve=True, by=house.olivia)
    assert "provider's report" in destroy(spill.pk)
    assert open_store().has(file.sha256)

    removal = ReportFileRemoval.objects.create(
        file=file, requested_by=house.oscar, reason="Spilled",
        decided_by=house.olivia, state="approved",
    )  # fmt: skip
    assert work_on(REPORT_REMOVALS, removal.pk)
    assert not open_store().has(file.sha256)
    spill.refresh_from_db()
    assert spill.destroyed_at is not None


def test_bytes_that_evidence_rests_on_stay(house) -> None:
    houses.submitted(house, "the same bytes")
    file = hold(
        house.report, by=house.olivia, name="notes.txt", content=b"the same bytes"
    )
    removal = ReportFileRemoval.objects.create(
        file=file, requested_by=house.oscar, reason="Wrong place",
        decided_by=house.olivia, state="approved",
    )  # fmt: skip
    assert work_on(REPORT_REMOVALS, removal.pk)
    removal.refresh_from_db()
    assert "other records" in removal.outcome
    assert open_store().has(file.sha256)


def test_a_flagged_report_waits_for_a_second_person(client, house) -> None:
    from tests.hostile import pdf_of

    script = pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript"
            b" /JS (app.alert(1)) >> >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
        ]
    )
    file = hold(house.report, by=house.olivia, content=script)
    assert "javascript" in file.flags
    works = {name: work_of(client, house, name) for name in ("olivia", "oscar", "rita")}
    assert [n for n, page in works.items() if "brought it" in page] == ["oscar"]
    assert open_page(client, house.olivia, file).status_code == 409
    assert open_page(client, house.oscar, file).status_code == 200  # has to clear it
    path = f"/artifacts/files/{file.uuid}/clear/"
    assert posted(client, house, "olivia", path, WHY).status_code == 403
    assert posted(client, house, "rita", path, WHY).status_code == 403
    assert posted(client, house, "oscar", path, {"reason": " "}).status_code == 400
    assert posted(client, house, "oscar", path, WHY).status_code == 302
    assert posted(client, house, "oscar", path, WHY).status_code == 409
    assert open_page(client, house.olivia, file).status_code == 200


def test_keepers_who_did_not_ask_are_told(client, house) -> None:
    file = hold(house.report, by=house.olivia)
    path = f"/artifacts/files/{file.uuid}/remove/"
    assert posted(client, house, "oscar", path, WHY).status_code == 302
    gather_notices(BEGINS)
    rows = Notice.objects.filter(path=f"/artifacts/reports/{house.report.uuid}/")
    assert [notice.user for notice in rows] == [house.olivia]
