"""R36, AC-11: the exports made when a window closes are kept with their hashes; what is
recorded later is told apart, on the auditor's pages and in every export.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import openpyxl
import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls.engagements import end_engagement
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.history.clock import clock_at, knowledge_now
from controls.models import AuditEvent, Engagement, Role
from controls.retrospect import approve
from evidence.artifacts.citations import remove_citation
from evidence.artifacts.register import end_version
from evidence.exports.closing import (
    KEPT_FORMATS,
    confirm_closing,
    make_again,
    request_closing,
)
from evidence.exports.ends import forget_exports
from evidence.exports.jobs import ExportJob, make_export, open_file, request_export
from evidence.files import purge as purging
from evidence.files import spill_removal
from evidence.findings.recording import record_finding
from evidence.models import Blob, Citation, EvidenceFile, Export, Finding, WindowClosing
from evidence.requirements.changes import NewTerms, add_requirement
from evidence.requirements.retiring import retire_requirement
from evidence.storage import open_store
from evidence.tasks import end_exports
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give, person
from tests.evidence.reviews.hands import accepted
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.people["ann"] = person("ann")
    return built


@pytest.fixture
def audit(house: House) -> Engagement:
    """An audit whose window is over, and into which ann is let in."""
    engagement = factories.make_engagement(house.system)
    Engagement.objects.filter(pk=engagement.pk).update(
        window_start=TODAY - 200 * DAY, window_end=TODAY - DAY
    )
    engagement.refresh_from_db()
    end = BEGINS + 20 * DAY
    give(house, "ann", Role.AUDITOR, engagement=engagement, ends_at=end)
    return engagement


@pytest.fixture
def closing(house: House, audit: Engagement) -> WindowClosing:
    return request_closing(audit, note="All is in.", by=house.olivia, now=BEGINS)


@pytest.fixture
def closed(house: House, closing: WindowClosing) -> WindowClosing:
    """Closed, with its exports made."""
    confirm_closing(closing, by=house.ann, now=BEGINS)
    for export in closing.exports.order_by("pk"):
        make_export(export.pk)
    closing.refresh_from_db()
    return closing


def browser_of(house: House, name: str) -> Client:
    client = Client(raise_request_exception=False)
    return sign_in_just_now(client, house.people[name])


def door(audit: Engagement, view: str, *parts: str) -> str:
    return reverse(f"evidence:{view}", args=[audit.uuid, *parts])


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def body(export: Export) -> bytes:
    with open_file(export) as file:
        return file.read()


# --- what is kept --------------------------------------------------------------------


def test_its_exports_are_kept_with_their_hashes(house, audit, closed) -> None:
    kept = list(closed.exports.order_by("pk"))
    assert len(kept) == len(KEPT_FORMATS)
    page = text_of(browser_of(house, "ann").get(door(audit, "closing")))
    for export in kept:
        assert (export.state, export.known_at) == ("done", closed.closed_at)
        assert export.sha256 in page
        assert hashlib.sha256(body(export)).hexdigest() == export.sha256
        assert open_store().has(export.sha256)


def test_they_are_taken_by_officers_and_auditors_alone(house, closed) -> None:
    kept = closed.exports.order_by("pk")[0]
    for page in (
        f"/exports/{kept.uuid}/download/",
        f"/api/v1/exports/{kept.uuid}/file/",
    ):
        for name in ("olivia", "ann"):
            answer = browser_of(house, name).get(page)
            sent = b"".join(answer.streaming_content)
            assert hashlib.sha256(sent).hexdigest() == kept.sha256, name
        for name in ("alice", "rita", "ray", "audrey", "mallory"):
            assert browser_of(house, name).get(page).status_code == 404, name


def test_they_outlive_the_days_of_others_and_their_auditor(
    house, audit, closed
) -> None:
    end_engagement(audit, by=house.olivia, now=BEGINS)
    with time_machine.travel(BEGINS + 500 * DAY):
        end_exports()
        forget_exports(BEGINS + 500 * DAY)
    kept = list(closed.exports.all())
    assert len(kept) > 1
    for export in kept:
        assert export.state == "done"
        assert hashlib.sha256(body(export)).hexdigest() == export.sha256


def test_nobody_deletes_them(house, closed) -> None:
    kept = closed.exports.order_by("pk")[0]
    for name in ("olivia", "ann"):
        answer = browser_of(house, name).post(f"/exports/{kept.uuid}/delete/")
        assert answer.status_code == 409
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.filter(pk=kept.pk).update(state="expired", file_name="")


def test_bytes_that_are_others_are_not_given_out(house, closed, tmp_path) -> None:
    kept = closed.exports.order_by("pk")[0]
    path = next(tmp_path.rglob(kept.sha256))
    path.chmod(0o600)
    path.write_bytes(b"other")
    answer = browser_of(house, "ann").get(f"/exports/{kept.uuid}/download/")
    assert answer.status_code == 410


def test_they_stay_when_evidence_of_the_same_bytes_goes(
    house, closed, as_owner
) -> None:
    """AU-07: as a spill, after its retention, and by the database password alone."""
    kept = closed.exports.get(kind="status-csv")
    houses.submitted(house, body(kept).decode(), requirement=house.requirement("si-2"))
    houses.submitted(house, "Something else")
    file = EvidenceFile.objects.get(blob=kept.blob)
    with as_owner(), clock_at(BEGINS.replace(year=2060)):
        Engagement.objects.update(ended_at=BEGINS)
        ended = purging.ended_records()
    assert len(ended) == 1 and kept.blob_id not in ended[0].blobs
    gone = Blob.objects.filter(pk=kept.blob_id)
    removal = spill_removal.request_removal(file, reason="A key", by=house.olivia)
    house.people["oscar"] = person("oscar")
    give(house, "oscar", Role.OFFICER)
    spill_removal.decide_removal(removal, approve=True, by=house.oscar)
    spill_removal.destroy(removal.pk)
    removal.refresh_from_db()
    assert removal.outcome == spill_removal.OF_CLOSING
    assert file.__class__.objects.get(pk=file.pk).is_removed
    with pytest.raises(DatabaseError, match="kept until their end"):
        with transaction.atomic():
            gone.update(purged_at=knowledge_now())
    assert hashlib.sha256(body(kept)).hexdigest() == kept.sha256


# --- after closing -------------------------------------------------------------------


def changed_afterwards(house: House) -> Finding:
    """Evidence of the window is accepted, and a finding written about it."""
    accepted(houses.submitted(house, "late"))
    factories.make_evidence(
        house.requirement("si-2"), by=house.alice, performed_on=TODAY - 30 * DAY
    )
    return record_finding(
        factories.implementation(house.system, "ac-1"),
        title="The policy is old",
        text="It is of 2019.",
        severity="moderate",
        source="Walk-through",
        found_on=TODAY - 10 * DAY,
        by=house.olivia,
    )


def test_what_changes_later_is_marked_on_the_auditors_pages(
    house, audit, closed
) -> None:
    auditor = browser_of(house, "ann")
    assert "after closing" not in text_of(auditor.get(door(audit, "audit_controls")))
    assert "Nothing about the window has changed since" in text_of(
        auditor.get(door(audit, "closing"))
    )
    changed_afterwards(house)
    table = text_of(auditor.get(door(audit, "audit_controls")))
    assert "1 change after closing of AC-1" in table
    control = text_of(auditor.get(door(audit, "mark", "ac-1")))
    assert "After closing finding: The policy is old, Olivia" in control
    assert "After closing" not in text_of(auditor.get(door(audit, "mark", "pe-3")))
    page = text_of(auditor.get(door(audit, "closing")))
    assert "AC-1 finding: The policy is old" in page
    assert "SI-2 evidence" in page


def test_as_known_at_the_closing_nothing_is_later(house, audit, closed) -> None:
    changed_afterwards(house)
    known = closed.closed_at.isoformat().replace("+00:00", "Z")
    answer = browser_of(house, "ann").get(
        door(audit, "audit_controls"), {"known_at": known}
    )
    assert "after closing" not in text_of(answer)


def test_about_later_days_is_no_change_of_the_window(house, audit, closed) -> None:
    record_finding(
        factories.implementation(house.system, "ac-1"),
        title="Of today",
        text="Seen today.",
        severity="low",
        source="Walk-through",
        found_on=TODAY,
        by=house.olivia,
    )
    page = text_of(browser_of(house, "ann").get(door(audit, "closing")))
    assert "Of today" not in page


def test_asks_are_told_of_the_days_on_which_they_ask(house, audit, closed) -> None:
    """R31, R36: one that begins after the window is no change of it; one that is
    retired in retrospect, by two officers, is."""
    page = door(audit, "closing")
    ann = browser_of(house, "ann")
    control = factories.implementation(house.system, "ac-1")
    terms = NewTerms(
        "Of today", "monthly", "operation", operates_from=TODAY, guidance="Show it."
    )
    add_requirement(control, terms, by=house.olivia)
    assert "Of today" not in text_of(ann.get(page))
    house.people["oscar"] = person("oscar")
    give(house, "oscar", Role.OFFICER)
    asked = house.requirement("si-2")
    change = retire_requirement(
        asked,
        until=TODAY - 50 * DAY,
        reason="It was never there.",
        by=house.olivia,
        today=TODAY,
    )
    assert change is not None
    approve(change, by=house.people["oscar"], today=TODAY)
    told = text_of(ann.get(page))
    assert f"SI-2 ask: {asked.title}" in told
    assert f"SI-2 no longer so, ask: {asked.title}" in told


def test_what_becomes_of_reports_is_told(house, audit) -> None:
    """R20, R24: a report that its auditor withdrew, and one that is cited no more."""
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    report = factories.make_report(artifact, TODAY - 150 * DAY, TODAY - 60 * DAY)
    closing = request_closing(audit, by=house.olivia, now=BEGINS)
    confirm_closing(closing, by=house.ann, now=BEGINS)
    ann = browser_of(house, "ann")
    page = door(audit, "closing")
    assert "Nothing about the window has changed since" in text_of(ann.get(page))
    end_version(
        report, state="withdrawn", on=TODAY, reason="They wrote to us.", by=house.olivia
    )
    remove_citation(Citation.objects.get(), by=house.olivia)
    told = text_of(ann.get(page))
    assert "report withdrawn: SOC 2 Type II" in told
    assert "PE-3 report no longer cited: SOC 2 Type II" in told
    known = closing.__class__.objects.get(pk=closing.pk).closed_at
    clock = known.isoformat().replace("+00:00", "Z")
    assert "withdrawn" not in text_of(ann.get(page, {"known_at": clock}))


def exported(house: House, audit: Engagement, name: str, known_at: Any = None) -> bytes:
    export = request_export(
        house.system,
        by=house.olivia,
        on=TODAY,
        known_at=known_at,
        format_name=name,
        window=(audit.window_start, audit.window_end),
    )
    make_export(export.pk)
    export.refresh_from_db()
    assert export.state == "done", export.failure
    return body(export)


def test_every_export_tells_it_apart(house, audit, closed) -> None:
    changed_afterwards(house)
    known_at = knowledge_now()
    rows = list(
        csv.DictReader(io.StringIO(exported(house, audit, "csv").decode("utf-8-sig")))
    )
    by_id = {row["control_id"]: row for row in rows}
    assert "finding: The policy is old" in by_id["ac-1"]["after_closing"]
    assert by_id["pe-3"]["after_closing"] == ""
    kept = closed.exports.get(kind="status-csv")
    assert kept.sha256 in by_id["pe-3"]["window_closed"]
    book = openpyxl.load_workbook(io.BytesIO(exported(house, audit, "xlsx")))
    lines = list(book["After closing"].iter_rows(values_only=True))
    assert ("AC-1", "finding", "The policy is old") in [line[:3] for line in lines]
    about = [line[1] for line in book["About"].iter_rows(values_only=True)]
    assert any("closed" in str(line) and kept.sha256 in str(line) for line in about)
    first = exported(house, audit, "pdf", known_at)
    factories.make_evidence(
        house.requirement("ac-1"), by=house.alice, performed_on=TODAY - 3 * DAY
    )
    assert exported(house, audit, "pdf", known_at) == first


def test_the_kept_one_can_be_made_again(house, audit, closed) -> None:
    """R35: of the closing's instant the same bytes come, whatever happened since."""
    changed_afterwards(house)
    kept = closed.exports.get(kind="status-csv")
    assert exported(house, audit, "csv", closed.closed_at) == body(kept)


# --- what failed at the closing ------------------------------------------------------


def failed_file(house: House, closing: WindowClosing) -> Export:
    """The PDF of a closing, of which every attempt failed."""
    confirm_closing(closing, by=house.ann, now=BEGINS)
    export = closing.exports.get(kind="status-pdf")
    with patch("evidence.exports.jobs.write_file", side_effect=RuntimeError("Broken")):
        for _ in range(ExportJob.max_attempts):
            Export.objects.filter(pk=export.pk).update(due_at=None)
            make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.sha256) == ("failed", "")
    return export


def test_a_kept_file_that_failed_is_made_again_of_the_same_clocks(
    house, audit, closing
) -> None:
    """Whoever looked at an earlier attempt, twice or in another tab, begins nothing."""
    export = failed_file(house, closing)
    page = browser_of(house, "ann").get(door(audit, "closing")).content.decode()
    seen = re.search(r'name="given_up_at" value="([^"]+)', page)
    assert "Make it again" in page and seen
    typed = {"given_up_at": seen[1]}
    again = reverse("evidence:kept_again", args=[export.uuid])
    for name in ("alice", "rita", "ray", "audrey", "mallory"):
        assert browser_of(house, name).post(again, typed).status_code == 404, name
    answer = browser_of(house, "ann").post(again, typed, follow=True)
    assert "is made again, of the same clocks" in text_of(answer)
    twice = browser_of(house, "olivia").post(again, typed, follow=True)
    assert "only one that failed" in text_of(twice)
    with patch("evidence.exports.jobs.write_file", side_effect=RuntimeError("Broken")):
        for _ in range(ExportJob.max_attempts):
            Export.objects.filter(pk=export.pk).update(due_at=None)
            make_export(export.pk)
    stale = browser_of(house, "olivia").post(again, typed, follow=True)
    assert "It was tried again since you opened this" in text_of(stale)
    export.refresh_from_db()
    officer = browser_of(house, "olivia")
    told = officer.get(f"/api/v1/closings/{closing.uuid}/").json()["exports"]
    (failed,) = [file for file in told if file["state"] == "failed"]
    api = f"/api/v1/exports/{export.uuid}/make-again/"
    body_of = {"given_up_at": failed["given_up_at"]}
    queued = officer.post(api, body_of, content_type="application/json")
    assert (queued.status_code, queued.json()["state"]) == (202, "queued")
    make_export(export.pk)
    export.refresh_from_db()
    closing.refresh_from_db()
    assert (export.state, export.known_at) == ("done", closing.closed_at)
    assert hashlib.sha256(body(export)).hexdigest() == export.sha256
    verbs = AuditEvent.objects.filter(subject_uuid=export.uuid)
    assert verbs.filter(verb="export.requested-again").count() == 2


def test_only_what_failed_at_a_closing_is_made_again(house, closed) -> None:
    done = closed.exports.get(kind="status-csv")
    with pytest.raises(TransitionNotAllowed, match="only one that failed"):
        make_again(done, by=house.ann, given_up_at=None)
    own = request_export(house.system, by=house.ann, on=TODAY)
    with pytest.raises(TransitionNotAllowed, match="Only what is kept"):
        make_again(own, by=house.ann, given_up_at=None)
    with pytest.raises(NotPermitted):
        make_again(done, by=house.audrey, given_up_at=None)


def test_ordinary_pages_and_the_api_mark_what_came_after_closing(
    house, audit, closed
) -> None:
    """What it says is for officers and auditors; others read that there is one."""
    accepted(houses.submitted(house))
    window = f"window_from={audit.window_start}&window_to={TODAY}"
    base = f"/systems/{house.system.slug}/controls/"
    for name, says in (("olivia", True), ("ann", True), ("ray", False)):
        browser = browser_of(house, name)
        page = text_of(browser.get(f"{base}cm-8/?{window}"))
        assert "After closing" in page, name
        assert ("evidence accepted: Patch report" in page) == says, name
        listed = browser.get(f"{base}?{window}").content.decode()
        assert listed.count("after closing") == 1, name
        api = f"/api/v1/systems/{house.system.slug}/controls/"
        row = browser.get(f"{api}cm-8/?{window}").json()
        told = [text.partition(":")[0] for text in row["after_closing"]]
        assert "evidence accepted" in told, name
        rows = browser.get(f"{api}?{window}").json()["results"]
        marked = [one["control_id"] for one in rows if one["after_closing"]]
        assert marked == ["cm-8"], name
    before = f"{window}&known_at={closed.closed_at.isoformat().replace('+00:00', 'Z')}"
    assert "After closing" not in text_of(
        browser_of(house, "olivia").get(f"{base}cm-8/?{before}")
    )
    hers = text_of(browser_of(house, "ann").get(f"{base}cm-8/"))
    assert "Prove your half" not in hers.partition("Reasons and next steps")[0]
