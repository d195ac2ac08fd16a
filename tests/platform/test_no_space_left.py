"""RE-07: a full disk is said so, leaves nothing behind, and is over once it is free."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evidence.exports.files import folder as export_folder
from evidence.exports.jobs import make_export
from evidence.models import Blob, EvidenceLink, Export
from evidence.storage import open_store
from tests.disks import SmallDisk, open_files_below, small_disk
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = {
    "performed_on": TODAY,
    "period_start": TODAY.replace(day=1),
    "period_end": TODAY,
    "collected_on": TODAY,
}
SENTENCE = "The evidence store has no space left. Nothing was stored;"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.MFA_REQUIRED = False
    return houses.build()


def signed_in(house: House, name: str) -> Client:
    client = Client(raise_request_exception=False)
    sign_in_just_now(client, house.people[name])
    return client


def page_upload(house: House, content: bytes) -> Any:
    body = DAYS | {"title": "Report", "sensitivity": "internal"}
    place = {"slug": "shop", "uuid": house.requirement().uuid}
    body |= {"files": [file("first.txt"), file(content=content)]}
    return signed_in(house, "alice").post(
        reverse("evidence:upload", kwargs=place), body
    )


def api_upload(house: House, content: bytes) -> Any:
    body = DAYS | {"title": "Report", "requirement": house.requirement().uuid}
    body |= {"files": [file("first.txt"), file(content=content)]}
    return signed_in(house, "alice").post(reverse("evidence-list"), body)


@pytest.mark.parametrize("send", [page_upload, api_upload])
@pytest.mark.parametrize("room", [0, 100_000])
def test_an_upload_is_refused_and_nothing_of_it_is_left(
    house, disk, settings, send, room
) -> None:
    """Full, or with less room than the upload needs; `/readyz` names the store."""
    settings.EVIDENCE_STORE = str(disk.folder / "evidence")
    assert send(house, b"warm").status_code in {201, 302}
    disk.fill(but=room)
    for _ in range(3):
        answer = send(house, b"x" * 200_000)
        assert answer.status_code == 507
        assert SENTENCE in answer.content.decode()
    assert open_files_below(disk.folder) == []
    assert list(open_store().incoming.iterdir()) == []
    assert EvidenceLink.objects.count() == 1
    if room == 0:
        ready = Client().get("/readyz")
        assert (ready.status_code, ready.json()["evidence_store"]) == (503, False)

    disk.free()
    assert Client().get("/readyz").status_code == 200
    assert send(house, b"x" * 200_000).status_code in {201, 302}
    assert Blob.objects.count() == 3


@pytest.mark.parametrize("send", [page_upload, api_upload])
def test_the_disk_fills_up_while_the_upload_comes_in(
    house, disk, settings, send, monkeypatch
) -> None:
    """Of no file of the request anything is left, also of those that were whole."""
    settings.EVIDENCE_STORE = str(disk.folder / "evidence")
    assert send(house, b"warm").status_code in {201, 302}
    store = type(open_store())
    require_room = store.require_room

    def then_others_fill_it(self: Any, size: int) -> None:
        require_room(self, size)
        disk.fill(but=50_000)

    monkeypatch.setattr(store, "require_room", then_others_fill_it)
    answer = send(house, b"x" * 200_000)
    assert answer.status_code == 507
    assert SENTENCE in answer.content.decode()
    assert open_files_below(disk.folder) == []
    assert list(open_store().incoming.iterdir()) == []


def test_an_export_waits_until_there_is_space(house, disk, settings) -> None:
    """It says so, spends no attempt, and leaves neither file nor descriptor."""
    settings.WORK_FOLDER = str(disk.folder)
    client = signed_in(house, "ray")
    client.get("/exports/")
    disk.fill()
    sent = {"system": "shop", "on": TODAY.isoformat()}
    assert client.post("/exports/request/", sent).status_code == 302
    export = Export.objects.get()
    for _ in range(5):
        make_export(export.pk)
        Export.objects.update(due_at=None)
    export.refresh_from_db()
    assert (export.state, export.attempts, export.waits) == ("queued", 0, 5)
    assert "There is no space left for the files of exports" in (
        client.get("/exports/").content.decode()
    )
    assert list(export_folder().iterdir()) == []
    assert open_files_below(disk.folder) == []
    ready = Client().get("/readyz")
    assert (ready.status_code, ready.json()["export_folder"]) == (200, False)

    disk.free()
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    answer = client.get(f"/exports/{export.uuid}/download/")
    assert b"control_id," in b"".join(answer.streaming_content)
    assert Client().get("/readyz").json()["export_folder"] is True
