"""UP-04: what can do something by itself waits for an officer who looked at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import Evidence, EvidenceFile, FileClearance
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import HTML, make_pdf, script
from tests.evidence.house import House, file, submitted
from tests.evidence.submissions.test_upload_evidence import said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


@pytest.fixture
def flagged(client, house) -> EvidenceFile:
    client.force_login(house.alice)
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    client.post(url, said(files=[file("form.pdf", make_pdf(script))]))
    return EvidenceFile.objects.get()


def clear(client, found: EvidenceFile, reason: str = "The script adds up a sum."):
    url = reverse("evidence:file_clear", args=[found.uuid])
    return client.post(url, {"reason": reason})


def test_it_is_kept_but_neither_opened_nor_accepted(client, house, flagged):
    assert flagged.flags == ["javascript"]
    client.force_login(house.rita)
    answer = client.get(reverse("evidence:download", args=[flagged.uuid]))
    assert answer.status_code == 409
    assert "contains a script" in answer.content.decode()
    with pytest.raises(ValidationError, match="an officer must clear it"):
        flagged.revision.links.get().accept(by=house.rita)


def test_an_officer_looks_and_clears_it(client, house, flagged):
    client.force_login(house.olivia)
    download = reverse("evidence:download", args=[flagged.uuid])
    assert b"".join(client.get(download).streaming_content).startswith(b"%PDF")
    assert clear(client, flagged).status_code == 302
    event = AuditEvent.objects.get(verb="file.cleared")
    assert event.actor == house.olivia
    assert "adds up" in event.body
    client.force_login(house.rita)
    assert b"".join(client.get(download).streaming_content).startswith(b"%PDF")
    flagged.revision.links.get().accept(by=house.rita)


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("ray", 403), ("bob", 404)],
)
def test_others_may_not_clear_it(client, house, flagged, name, status):
    client.force_login(house.people[name])
    assert clear(client, flagged).status_code == status
    assert not FileClearance.objects.exists()


def test_clearing_says_why_and_happens_once(client, house, flagged):
    client.force_login(house.olivia)
    assert clear(client, flagged, " ").status_code == 400
    clear(client, flagged)
    assert clear(client, flagged).status_code == 409
    assert (
        client.get(reverse("evidence:file_clear", args=[flagged.uuid])).status_code
        == 302
    )


def test_the_database_refuses_the_uploader_as_officer(house, flagged):
    with pytest.raises(IntegrityError), transaction.atomic():
        FileClearance.objects.create(
            file=flagged, officer=house.alice, uploader=house.alice, reason="x"
        )


def test_what_is_no_allowed_kind_is_named_and_nothing_is_stored(
    client, house, store_folder
):
    client.force_login(house.alice)
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    files = [file("good.txt", b"fine"), file("report.pdf", HTML)]
    answer = client.post(url, said(files=files))
    assert answer.status_code == 400
    assert "“report.pdf” is not the PDF" in answer.content.decode()
    assert not Evidence.objects.exists()
    assert not [each for each in store_folder.rglob("*") if each.is_file()]


def test_up_12_a_team_brings_so_much_a_day(client, house, settings):
    settings.TEAM_FILES_PER_DAY = 2
    submitted(house, "one")
    submitted(house, "two")
    client.force_login(house.alice)
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    answer = client.post(url, said(files=[file("c.txt", b"three")]))
    assert answer.status_code == 429
    assert "2 files a day" in answer.content.decode()
    settings.TEAM_FILES_PER_DAY, settings.TEAM_BYTES_PER_DAY = 10, 8
    answer = client.post(url, said(files=[file("c.txt", b"three")]))
    assert answer.status_code == 507
    assert Evidence.objects.count() == 2
