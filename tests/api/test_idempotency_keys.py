"""RE-03: the same request again makes nothing more, on every route that makes.

The key is the header Idempotency-Key. What a key stands for is told by parsed fields
and digests of files, never by the bytes of the body.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.test.client import encode_multipart
from knox.models import AuthToken

from controls import clock
from controls.idempotency import forget_old_keys
from controls.models import IdempotencyKey
from evidence.models import EvidenceLink, SpillRemoval
from evidence.tasks import sweep_store
from tests.access.walking import doors, said_in_table
from tests.access.world import World
from tests.api.keyed import Asking, as_alice, built, rows
from tests.evidence.house import file
from tests.sign_ins import sign_in_just_now

# A decision, an end, a comparison: done twice it is refused, or nothing is made.
WITHOUT_EFFECT = """
requirement-preview-templates requirement-retire request-accept request-send-back
request-cancel population-accept population-reject population-withdraw evidence-decide
evidence-accept evidence-reject evidence-submit evidence-reconfirm evidence-withdraw
file-clear report-file-clear report-file-term report-release-take-back
report-file-release
report-removal-approve report-removal-refuse report-fetch-accept
removal-approve removal-refuse artifact-version-end component-end
artifact-version-scope-preview api_account_uses
user-control-preview coverage-preview coverage-confirm coverage-remove
override-approve override-refuse override-settle not-applicable-approve
not-applicable-refuse not-applicable-end notice-read notice-read-all bulk-upload-plan
audit-request-list-plan
provider-document-preview provider-document-end api_rereading api_roll_forward
component-days component-regions remark-answer-decide disposition-decide
response-decide
end-request-approve end-request-refuse retrospective-change-approve
retrospective-change-refuse alternative-approve alternative-refuse alternative-end
crosswalk-preview finding-import-preview implementation-status-preview
api_services_preview
system-terms-list ask-split api_retention legal-hold-lift
person-end person-hand-over person-hand-over-preview invitation-send-again
invitation-withdraw
engagement-renew engagement-end engagement-take-out
export-make-again
closing-confirm closing-refuse closing-withdraw
override-withdraw not-applicable-withdraw alternative-withdraw end-request-withdraw
retrospective-change-withdraw removal-withdraw report-removal-withdraw
"""
MAKE_NOTHING = set(WITHOUT_EFFECT.split())


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


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


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
    sign_in_just_now(asking.client, world.house.oscar)
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
    sign_in_just_now(asking.client, world.house.ray)
    assert asking.answer("k-1").status_code == 403
    assert not IdempotencyKey.objects.exists()


def test_the_key_holds_across_two_sign_ins(world) -> None:
    asking = as_alice(world)
    first = asking.answer("k-1")
    asking.client = Client(raise_request_exception=False)
    sign_in_just_now(asking.client, world.house.alice)
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
