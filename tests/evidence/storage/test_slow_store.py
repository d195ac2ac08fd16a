"""A slow store keeps nobody waiting: no transaction is open while bytes go to it.

Rules: nothing slow is spoken to while a lock is held that others wait for; a request
sent twice under one key has one effect, and what is refused leaves no bytes.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from controls.models.idempotency import IdempotencyKey
from evidence.models import Arrival, Blob, EvidenceLink, Population
from evidence.models.requirements import Cadence
from evidence.storage import LocalStore
from tests.evidence import house as houses
from tests.evidence import per_event
from tests.evidence.house import House, file, submitted
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = {
    "performed_on": TODAY,
    "period_start": TODAY.replace(day=1),
    "period_end": TODAY,
    "collected_on": TODAY,
}
KEY = {"Idempotency-Key": "one"}


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a transaction was open, for each time that the store was spoken to."""
    seen: list[bool] = []

    def watched(name: str) -> Any:
        method = getattr(LocalStore, name)

        def call(self: LocalStore, *args: Any) -> Any:
            seen.append(connection.in_atomic_block)
            return method(self, *args)

        return call

    for name in ("settle", "has", "open"):
        monkeypatch.setattr(LocalStore, name, watched(name))
    return seen


def signed_in(house: House, name: str = "alice") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(house.people[name])
    return client


def upload_path(house: House) -> str:
    uuid = house.requirement().uuid
    return reverse("evidence:upload", kwargs={"slug": "shop", "uuid": uuid})


def page_upload(house: House, content: bytes = b"patched", **more: Any) -> Any:
    body = DAYS | {"title": "Report", "sensitivity": "internal", "form_token": "t" * 36}
    body |= {"files": [file(content=content)]} | more
    return signed_in(house).post(upload_path(house), body)


def api_upload(house: House, content: bytes = b"patched", **more: Any) -> Any:
    body = DAYS | {"title": "Report", "requirement": house.requirement().uuid}
    body |= {"files": [file(content=content)]} | more
    return signed_in(house).post(reverse("evidence-list"), body, headers=KEY)


def page_revision(house: House) -> Any:
    evidence = submitted(house).revision.evidence
    path = reverse("evidence:revision_new", kwargs={"uuid": evidence.uuid})
    body = DAYS | {"kind": "correction", "reason": "Wrong month.", "files": [file()]}
    return signed_in(house).post(path, body | {"form_token": "t" * 36})


def api_revision(house: House) -> Any:
    path = reverse("evidence-revise", kwargs={"uuid": submitted(house).uuid})
    body = DAYS | {"kind": "correction", "reason": "Wrong month.", "files": [file()]}
    return signed_in(house).post(path, body, headers=KEY)


def api_population(house: House) -> Any:
    asked = house.requirement()
    type(asked).objects.filter(pk=asked.pk).update(cadence=Cadence.PER_EVENT)
    first = TODAY.replace(day=1)
    body = {
        "requirement": asked.uuid,
        "starts": first,
        "ends": first,
        "source": "HR",
        "query": "leavers",
        "completeness": "all of them",
        "file": file("list.csv", f"key,day\na,{first}\n".encode()),
    }
    path = reverse("population-list")
    return signed_in(house).post(path, body, headers=KEY)


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (page_upload, 302),
        (api_upload, 201),
        (page_revision, 302),
        (api_revision, 201),
        (api_population, 201),
    ],
)
def test_no_transaction_is_open_while_bytes_go_to_the_store(
    house, within, send, status
) -> None:
    answer = send(house)
    assert answer.status_code == status, answer.content.decode()
    assert set(within) == {False}
    assert IdempotencyKey.objects.count() == 1


def many(house: House) -> dict[str, Any]:
    house.requirement()
    listed = f"file,control,performed_on,title\na.txt,cm-8,{TODAY},List\n"
    return {"list": file("list.csv", listed.encode()), "files": [file("a.txt")]}


def page_of_many(house: House) -> Any:
    client = signed_in(house)
    token = client.post("/systems/shop/upload/", many(house)).context["token"]
    return client.post("/systems/shop/upload/confirm/", {"token": token})


def api_of_many(house: House) -> Any:
    client, path = signed_in(house), "/api/v1/systems/shop/uploads/"
    token = client.post(f"{path}plan/", many(house)).json()["token"]
    body = {"token": token}
    return client.post(f"{path}confirm/", body, "application/json", headers=KEY)


def page_of_events(house: House) -> Any:
    client = signed_in(house)
    asked = per_event.made_per_event(house)
    sent = per_event.said(list=file("changes.csv", per_event.listed()))
    token = client.post(per_event.url(asked), sent).context["preview"].token
    return client.post(per_event.url(asked, "confirm/"), {"token": token})


@pytest.mark.parametrize(
    ("send", "status"),
    [(page_of_many, 302), (api_of_many, 201), (page_of_events, 302)],
)
def test_nor_while_a_preview_is_made_or_confirmed(house, within, send, status) -> None:
    answer = send(house)
    assert answer.status_code == status, answer.content.decode()
    assert len(within) >= 2
    assert set(within) == {False}


@pytest.mark.parametrize("send", [page_of_many, page_of_events])
def test_a_preview_whose_bytes_are_gone_is_refused(house, send, monkeypatch) -> None:
    """What lies in no store is named by no record, whoever deleted it."""
    expect = Arrival.objects.expect
    calls: list[int] = []

    def and_then_it_is_gone(digests: Any) -> None:
        expect(digests)
        calls.append(1)
        if len(calls) == 2:  # the first is the preview's
            for stored in LocalStore(store_folder()).everything():
                LocalStore(store_folder()).destroy(stored.sha256)

    monkeypatch.setattr(Arrival.objects, "expect", and_then_it_is_gone)
    answer = send(house)
    assert answer.status_code == 409
    assert "is no longer there" in answer.content.decode()
    assert not Blob.objects.exists()


@pytest.mark.parametrize("send", [page_upload, api_upload])
def test_sent_again_it_has_one_effect_and_other_bytes_leave_none(house, send) -> None:
    first, again = send(house), send(house)
    assert (first.status_code, again.status_code) in {(302, 302), (201, 201)}
    other = send(house, content=b"something else")
    assert other.status_code == 422
    assert EvidenceLink.objects.count() == Blob.objects.count() == 1
    assert len(list(LocalStore(store_folder()).everything())) == 1


@pytest.mark.parametrize("send", [page_upload, api_upload])
@pytest.mark.parametrize(
    "wrong", [{"performed_on": "2999-01-01"}, {"period_end": "2001-01-01"}]
)
def test_what_is_refused_leaves_no_bytes_and_the_key_unused(house, send, wrong) -> None:
    assert send(house, **wrong).status_code == 400
    assert list(LocalStore(store_folder()).everything()) == []
    assert not IdempotencyKey.objects.exists()
    assert send(house).status_code in {201, 302}


@pytest.mark.parametrize("send", [page_upload, api_upload])
def test_while_the_first_is_on_its_way_the_same_again_waits_for_nothing_slow(
    house, send, monkeypatch
) -> None:
    """Two at once have one effect; the slow one is answered as the quick one was."""
    settle, gate, arrived = LocalStore.settle, threading.Event(), threading.Event()
    slow = threading.Event()

    def sticky(self: LocalStore, *args: Any) -> None:
        if not slow.is_set():
            slow.set()
            arrived.set()
            assert gate.wait(20)
        settle(self, *args)

    monkeypatch.setattr(LocalStore, "settle", sticky)
    answers: list[Any] = []

    def first() -> None:
        answers.append(send(house))
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    assert arrived.wait(20)
    quick = send(house)
    gate.set()
    thread.join(20)
    assert quick.status_code == answers[0].status_code
    assert (
        quick.headers["Location" if send is page_upload else "ETag"]
        == (answers[0].headers["Location" if send is page_upload else "ETag"])
    )
    assert EvidenceLink.objects.count() == 1


@pytest.mark.parametrize("send", [page_upload, api_upload])
def test_broken_off_between_store_and_rows_it_is_sent_again_under_its_key(
    house, send, monkeypatch
) -> None:
    """The bytes are an orphan that the sweep deletes; no row and no key is left."""
    with monkeypatch.context() as patch:
        patch.setattr(Blob.objects, "made_or_locked", lambda _: 1 / 0)
        assert send(house).status_code == 500
    assert not IdempotencyKey.objects.exists()
    assert not EvidenceLink.objects.exists()
    assert send(house).status_code in {201, 302}
    assert EvidenceLink.objects.count() == 1
    assert not Population.objects.exists()


def store_folder() -> Path:
    from django.conf import settings

    return Path(settings.EVIDENCE_STORE)
