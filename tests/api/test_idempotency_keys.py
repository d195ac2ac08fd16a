"""RE-03: the same request again makes nothing more, on every route that makes.

The key is the header Idempotency-Key. What a key stands for is told by parsed fields
and digests of files, never by the bytes of the body.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test import Client
from django.test.client import encode_multipart
from django.urls import reverse
from knox.models import AuthToken

from controls import clock, idempotency
from controls.idempotency import forget_old_keys
from controls.models import IdempotencyKey, Membership, Role, User
from evidence.exports import jobs
from evidence.models import EvidenceLink, Export, RequirementControl, SpillRemoval
from evidence.tasks import sweep_store
from tests import one_day
from tests.access import world as worlds
from tests.access.walking import doors, said_in_table
from tests.access.world import World
from tests.evidence.house import file

TODAY = str(one_day.TODAY)
# A decision, an end, a comparison: done twice it is refused, or nothing is made.
WITHOUT_EFFECT = """
requirement-preview-templates requirement-retire request-accept request-send-back
request-cancel population-accept population-reject population-withdraw evidence-decide
evidence-accept evidence-reject evidence-submit evidence-reconfirm evidence-withdraw
file-clear removal-approve removal-refuse artifact-version-end component-end
override-approve override-refuse override-settle not-applicable-approve
not-applicable-refuse not-applicable-end notice-read notice-read-all bulk-upload-plan
provider-document-preview provider-document-end api_rereading api_roll_forward
"""
MAKE_NOTHING = set(WITHOUT_EFFECT.split())
WHO = {
    "population-list": "alice", "population-draw": "alice", "request-answer": "alice",
    "sample-deviations": "alice", "evidence-list": "alice", "evidence-attach": "alice",
    "evidence-revise": "alice", "artifact-version-reliance": "rita",
    "bulk-upload-confirm": "alice",
}  # fmt: skip


def handler_of(callback: Any) -> Any:
    """The method that answers POST."""
    name = (getattr(callback, "actions", None) or {"post": "post"})["post"]
    return getattr(callback.cls, name)


def posts() -> dict[str, Any]:
    """What answers a POST, by view of the API."""
    answers = said_in_table("olivia")
    return {
        door.view: handler_of(door.callback)
        for door in doors()
        if door.api and answers.get(("POST", door.view), 405) != 405
    }


def makers() -> list[str]:
    """The views that make something when they are posted to."""
    return sorted(posts().keys() - MAKE_NOTHING)


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    return built(settings, tmp_path)


def built(settings: Any, tmp_path: Any) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def monthly(ref_id: str) -> RequirementControl:
    """What is asked of a control by period, beside what is asked per event."""
    of_control = RequirementControl.objects.filter(
        system__slug="shop", implementation__control__ref_id=ref_id
    )
    return of_control.exclude(cadence="per-event").get()


def bodies() -> dict[str, Any]:
    """What each maker is sent, beside what the table of access sends."""
    days = {"performed_on": TODAY, "period_start": TODAY, "period_end": TODAY}
    return {
        "component-list": {"service": "rds", "used_from": TODAY},
        "evidence-attach": {"requirement": str(monthly("si-2").uuid)},
        "evidence-revise": days
        | {"kind": "addition", "reason": "More", "files": [file("more.txt", b"more")]},
        "artifact-versions": {
            "label": "2026", "starts": "2025-10-01", "ends": "2026-03-31",
            "services": ["ec2"], "regions": ["*"],
        },
        "artifact-citations": {"system": "shop", "control_ids": ["si-2"]},
        "artifact-version-letters": {"issued_on": TODAY, "ends": TODAY},
        "provider-document-list": {
            "title": "Other", "reference": "R-2", "starts_on": TODAY,
            "file": file(
                "said.csv",
                b"Control ID,Responsibility,Description\nPE-3,Inherited,Guards.\n",
            ),
        },
    }  # fmt: skip


class Asking:
    """One maker, posted to by who may, as a form where there are files."""

    def __init__(self, world: World, view: str) -> None:
        (door,) = {d for d in doors() if d.view == view and "POST" in d.methods}
        self.path = reverse(view, kwargs=world.parts(view, set(door.parts)))
        self.body = world.bodies.get(f"POST {view}", {}) | bodies().get(view, {})
        self.client = Client(raise_request_exception=False)
        self.client.force_login(world.house.people[WHO.get(view, "olivia")])
        self.headers = {}
        if view == "request-answer":
            self.headers["If-Match"] = world.tag(view)
        if view == "bulk-upload-confirm":
            self.body = {"token": planned(self.client)}

    def answer(self, key: str | None, **more: Any) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        body = self.body | more
        if "files" not in body and "file" not in body:
            kind = {"content_type": "application/json"}
            return self.client.post(self.path, body, headers=headers, **kind)
        for each in (*body.get("files", ()), body.get("file")):
            if each is not None:
                each.seek(0)
        return self.client.post(self.path, body, headers=headers)


def planned(client: Client) -> str:
    listed = file("list.csv", f"file,control,performed_on\na.csv,cm-8,{TODAY}".encode())
    sent = {"list": listed, "files": [file("a.csv", b"a,b\n")]}
    token: str = client.post("/api/v1/systems/shop/uploads/plan/", sent).json()["token"]
    return token


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def rows() -> dict[str, int]:
    """How many rows each table of ours holds."""
    models = [
        m
        for app in ("controls", "evidence")
        for m in apps.get_app_config(app).get_models()
    ]
    return {model._meta.label: model._base_manager.count() for model in models}


def freed(world: World) -> None:
    """No removal waits, so that one may be asked for."""
    SpillRemoval.objects.update(state="refused", decided_by=world.house.olivia)


def test_every_route_that_makes_something_takes_a_key() -> None:
    """A new POST stands here, or among those that make nothing."""
    handlers = posts()
    taking = {
        view for view, made_by in handlers.items() if hasattr(made_by, "idempotent")
    }
    assert taking == set(makers())
    assert handlers.keys() >= MAKE_NOTHING


@pytest.mark.slow
def test_the_same_again_gets_the_same_answer_and_makes_nothing(world) -> None:
    wrong = []
    for view in makers():
        with undone():
            if view == "file-remove":
                freed(world)
            asking = Asking(world, view)
            first = asking.answer("k-1")
            made = rows()
            again, other = asking.answer("k-1"), asking.answer("k-1", further="x")
            body = first.json()
            if isinstance(body, dict):
                body.pop("token", None)
            same = again.json() == body and again.status_code == first.status_code
            kept = again.get("ETag") == first.get("ETag")
            refused = other.status_code == 422
            if first.status_code >= 300 or not (same and kept and refused):
                wrong.append((view, first.content, again.content, other.status_code))
            if rows() != made:
                wrong.append((view, "made more"))
    assert not wrong


def as_alice(world: World) -> Asking:
    return Asking(world, "evidence-list")


def test_a_retry_has_another_boundary_and_order(world) -> None:
    asking = as_alice(world)
    first = asking.answer("k-1")
    assert first.status_code == 201, first.content
    asking.body["files"][0].seek(0)
    fields = dict(reversed(asking.body.items()))
    again = asking.client.post(
        asking.path,
        encode_multipart("another-boundary", fields),
        content_type="multipart/form-data; boundary=another-boundary",
        headers={"Idempotency-Key": "k-1"},
    )
    assert (again.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize(
    "change",
    [{"title": "Another"}, {"files": [file("report.txt", b"other bytes")]},
     {"files": [file("other-name.txt", b"patched")]}],
)  # fmt: skip
def test_another_request_under_the_key_is_refused(world, change) -> None:
    asking = as_alice(world)
    assert asking.answer("k-1").status_code == 201
    made = rows()
    refused = asking.answer("k-1", **change)
    assert (refused.status_code, refused.json()["status"]) == (422, 422)
    assert rows() == made
    assert asking.answer("k-2", **change).status_code == 201


def test_another_route_under_the_key_is_refused(world) -> None:
    assert Asking(world, "export-list").answer("k-1").status_code == 202
    assert Asking(world, "request-list").answer("k-1").status_code == 422


def test_the_key_of_another_person_is_another_key(world) -> None:
    asking = Asking(world, "export-list")
    first = asking.answer("nightly")
    asking.client.force_login(world.house.oscar)
    other = asking.answer("nightly")
    assert (first.status_code, other.status_code) == (202, 202)
    assert first.json()["uuid"] != other.json()["uuid"]


@pytest.mark.parametrize("key", ["k" * 201, "k" * 9000, "naïve", "tab\there", "☃"])
def test_a_key_that_is_too_long_or_odd_is_400(world, key) -> None:
    asking = Asking(world, "export-list")
    made = rows()
    assert asking.answer(key).status_code == 400
    assert rows() == made
    assert asking.answer("k" * 200).status_code == 202


def test_what_was_made_may_be_withdrawn_and_the_answer_is_still_the_same(world) -> None:
    asking = as_alice(world)
    first = asking.answer("k-1")
    link = EvidenceLink.objects.get(uuid=first.json()["uuid"])
    link.withdraw(by=world.house.alice, reason="Wrong month")
    again = asking.answer("k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["ETag"] == first["ETag"]


def test_what_is_refused_leaves_the_key_unused(world) -> None:
    asking = as_alice(world)
    assert asking.answer("k-1", title="").status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert asking.answer("k-1").status_code == 201


def test_who_may_not_leaves_no_key(world) -> None:
    asking = as_alice(world)
    asking.client.force_login(world.house.ray)
    assert asking.answer("k-1").status_code == 403
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("end", ["ended", "back-dated", "replaced", "renewed"])
def test_ac_09_who_lost_a_role_is_not_shown_the_answer_again(world, end) -> None:
    """Nor is anything made; who holds the role still, or again, gets the answer."""
    asking = as_alice(world)
    first = asking.answer("k-1")
    assert first.status_code == 201
    made = rows()
    held = world.house.alice.memberships.filter(system__slug="shop").first()
    assert held is not None
    ends = clock.now() - dt.timedelta(days=2 if end == "back-dated" else 0)
    Membership.objects.filter(pk=held.pk).update(
        starts_at=ends - dt.timedelta(days=9), ends_at=ends
    )
    if end in {"replaced", "renewed"}:
        held.pk, held.uuid, held.ends_at = None, uuid4(), None
        if end == "replaced":
            held.role, held.team = Role.READER, None
        held.save(force_insert=True)
        made["controls.Membership"] += 1
    again = asking.answer("k-1")
    if end == "renewed":
        assert (again.status_code, again.json()) == (201, first.json())
    else:
        assert again.status_code == 403
        assert first.json()["uuid"] not in again.content.decode()
    assert rows() == made


def test_ac_09_a_superuser_no_more_is_not_shown_the_answer_again(world) -> None:
    asking = as_alice(world)
    User.objects.filter(pk=world.house.alice.pk).update(is_superuser=True)
    assert asking.answer("k-1").status_code == 201
    User.objects.filter(pk=world.house.alice.pk).update(is_superuser=False)
    assert asking.answer("k-1").status_code == 403


def test_az_06_a_closed_account_is_answered_nothing(world) -> None:
    asking = as_alice(world)
    assert asking.answer("k-1").status_code == 201
    User.objects.filter(pk=world.house.alice.pk).update(is_active=False)
    again = asking.answer("k-1")
    assert again.status_code in {401, 403}
    assert "uuid" not in again.content.decode()


def test_the_key_holds_across_two_sign_ins(world) -> None:
    asking = as_alice(world)
    first = asking.answer("k-1")
    asking.client = Client(raise_request_exception=False)
    asking.client.force_login(world.house.alice)
    made = rows()
    again = asking.answer("k-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert rows() == made


def test_without_a_key_every_request_is_one_of_its_own(world) -> None:
    asking = Asking(world, "export-list")
    one, two = asking.answer(None), asking.answer("")
    assert one.json()["uuid"] != two.json()["uuid"]
    assert not IdempotencyKey.objects.exists()


def test_az_07_the_secret_of_a_token_is_not_kept_with_its_key(world) -> None:
    """The repeated answer says which token was made, and never its secret."""
    asking = Asking(world, "token-list")
    before = AuthToken.objects.count()
    secret = asking.answer("k-1").json()["token"]
    again = asking.answer("k-1")
    assert again.status_code == 201
    assert again.json()["name"] == "mine" and "token" not in again.json()
    assert secret not in IdempotencyKey.objects.get().body
    assert AuthToken.objects.count() == before + 1


def test_what_is_nested_too_deep_is_400(world) -> None:
    asking = Asking(world, "export-list")
    deep = "[" * 5000 + "]" * 5000
    body = f'{{"system": "shop", "more": {deep}}}'
    answer = asking.client.post(
        asking.path, body, "application/json", headers={"Idempotency-Key": "k-1"}
    )
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert not IdempotencyKey.objects.exists()


def test_keys_are_forgotten_after_thirty_days(world) -> None:
    asking = Asking(world, "export-list")
    first = asking.answer("k-1").json()["uuid"]
    assert forget_old_keys(clock.now() + dt.timedelta(days=29)) == 0
    assert asking.answer("k-1").json()["uuid"] == first
    past = clock.now() - dt.timedelta(days=31)
    IdempotencyKey.objects.update(created_at=past)
    sweep_store()
    assert not IdempotencyKey.objects.exists()
    assert asking.answer("k-1").json()["uuid"] != first


@pytest.fixture
def slow_export(monkeypatch) -> dict[str, threading.Event]:
    """Exports whose first request goes on when the test says so."""
    gates = {"begun": threading.Event(), "go": threading.Event()}
    real = jobs.request_export

    def slow(*args: Any, **kwargs: Any) -> Export:
        gates["begun"].set()
        assert gates["go"].wait(20)
        return real(*args, **kwargs)

    monkeypatch.setattr(jobs, "request_export", slow)
    return gates


def in_thread(asking: Asking, answers: list[Any]) -> threading.Thread:
    """The same request on a connection of its own."""

    def send() -> None:
        try:
            answers.append(asking.answer("k-1"))
        finally:
            connection.close()

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_two_at_once_have_one_effect(settings, tmp_path, slow_export) -> None:
    """The second waits for the first and gets its answer."""
    world, answers = built(settings, tmp_path), []
    before = Export.objects.count()
    first = in_thread(Asking(world, "export-list"), answers)
    assert slow_export["begun"].wait(20)
    second = in_thread(Asking(world, "export-list"), answers)
    second.join(0.5)
    assert second.is_alive() and not answers
    slow_export["go"].set()
    first.join(20)
    second.join(20)
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert Export.objects.count() == before + 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_told_when_to_come_again(
    settings, tmp_path, slow_export, monkeypatch
) -> None:
    monkeypatch.setattr(idempotency, "MAX_WAIT", 0.3)
    world, answers = built(settings, tmp_path), []
    first = in_thread(Asking(world, "export-list"), answers)
    assert slow_export["begun"].wait(20)
    busy = Asking(world, "export-list").answer("k-1")
    assert (busy.status_code, busy["Retry-After"]) == (409, "10")
    slow_export["go"].set()
    first.join(20)
    assert answers[0].status_code == 202
    assert Asking(world, "export-list").answer("k-1").json() == answers[0].json()


@pytest.mark.django_db(transaction=True)
def test_the_second_takes_over_where_the_first_is_refused(
    settings, tmp_path, slow_export, monkeypatch
) -> None:
    world, answers = built(settings, tmp_path), []
    slow = jobs.request_export

    def fails(*args: Any, **kwargs: Any) -> Export:
        export = slow(*args, **kwargs)
        monkeypatch.setattr(jobs, "request_export", slow)
        raise idempotency.Refused(f"Not {export.uuid}.")

    monkeypatch.setattr(jobs, "request_export", fails)
    before = Export.objects.count()
    first = in_thread(Asking(world, "export-list"), answers)
    assert slow_export["begun"].wait(20)
    second = in_thread(Asking(world, "export-list"), answers)
    slow_export["go"].set()
    first.join(20)
    second.join(20)
    assert sorted(answer.status_code for answer in answers) == [202, 400]
    assert Export.objects.count() == before + 1
