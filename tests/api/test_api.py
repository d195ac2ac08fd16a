"""The second door: the same rows, verbs and refusals over /api/v1/."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from controls import clock
from controls.models import System, Team, User
from evidence.exports import jobs
from evidence.models import EvidenceLink, Export
from tests import factories
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


def door(user: User | None) -> Client:
    client = Client()
    if user is not None:
        sign_in_just_now(client, user)
    return client


def upload(client: Client, system: System, **changes: Any) -> Any:
    asked = factories.requirement(system, "ac-4")
    said = {
        "requirement": str(asked.uuid),
        "title": "Flow rules",
        "performed_on": "2026-06-01",
        "period_start": "2026-01-01",
        "period_end": "2026-06-30",
        "files": SimpleUploadedFile("rules.txt", b"allow nothing"),
    }
    return client.post("/api/v1/evidence/", said | changes)


def test_a_system_shows_each_control_with_both_halves(
    system: System, oscar: User
) -> None:
    rows = door(oscar).get("/api/v1/systems/payments/controls/").json()["results"]
    si2 = next(row for row in rows if row["control_id"] == "si-2")
    assert si2["responsibility"] == "shared"
    assert (si2["aws_half"], si2["customer_half"]) == ("missing", "missing")
    assert {"layer", "component", "variant", "party", "kind", "source"} == set(
        si2["basis"][0]
    )


def test_the_clocks_are_parameters_and_bad_ones_are_named(
    system: System, oscar: User
) -> None:
    client = door(oscar)
    path = "/api/v1/systems/payments/controls/si-2/"
    assert client.get(path, {"on": "2026-06-30"}).json()["on"] == "2026-06-30"
    answer = client.get(path, {"on": "30 June"})
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
    assert "on" in answer.json()["errors"]


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("rita", 200), ("audrey", 200), ("mallory", 404), (None, 401)],
)
def test_ac_02_a_foreign_system_is_not_found(
    system: System, request: pytest.FixtureRequest, who: str | None, status: int
) -> None:
    user = request.getfixturevalue(who) if who else None
    answer = door(user).get("/api/v1/systems/payments/")
    assert answer.status_code in ({status, 403} if who is None else {status})


def test_upload_review_and_the_second_reviewer(
    system: System, alice: User, rita: User, oscar: User
) -> None:
    made = upload(door(alice), system)
    assert made.status_code == 201, made.content
    path = f"/api/v1/evidence/{made.json()['uuid']}/"
    reviewer = door(rita)
    tag = reviewer.get(path)["ETag"]
    assert reviewer.post(f"{path}accept/").status_code == 428
    done = reviewer.post(f"{path}accept/", headers={"If-Match": tag})
    assert (done.status_code, done.json()["state"]) == (200, "accepted")
    late = door(oscar).post(f"{path}accept/", headers={"If-Match": tag})
    assert late.status_code == 409
    assert "Rita has already accepted this" in late.json()["detail"]


def test_ac_07_nobody_reviews_their_own(system: System, oscar: User) -> None:
    made = upload(door(oscar), system).json()
    link = EvidenceLink.objects.get(uuid=made["uuid"])
    answer = door(oscar).post(
        f"/api/v1/evidence/{link.uuid}/accept/",
        headers={"If-Match": f'"{link.uuid}:{link.version}"'},
    )
    assert answer.status_code == 403
    link.refresh_from_db()
    assert link.state == "submitted"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"performed_on": "not a day"}, 400),
        ({"period_end": "2025-01-01"}, 400),
        ({"performed_on": "2031-01-01"}, 400),
        ({"files": SimpleUploadedFile("empty.txt", b"")}, 400),
    ],
)
def test_bad_uploads_are_refused_and_nothing_is_kept(
    system: System, alice: User, changes: dict[str, Any], status: int
) -> None:
    assert upload(door(alice), system, **changes).status_code == status
    assert not EvidenceLink.objects.exists()


def test_others_may_not_upload_for_the_team(
    system: System, rita: User, audrey: User
) -> None:
    for user in (rita, audrey):
        assert upload(door(user), system).status_code == 403


def test_an_edit_needs_the_version_it_is_based_on(system: System, oscar: User) -> None:
    client, path = door(oscar), "/api/v1/systems/payments/"
    tag = client.get(path)["ETag"]
    change = {"data": {"description": "Cards"}, "content_type": "application/json"}
    assert client.patch(path, **change).status_code == 428
    assert client.patch(path, **change, headers={"If-Match": tag}).status_code == 200
    assert client.patch(path, **change, headers={"If-Match": tag}).status_code == 412


def test_an_export_is_asked_for_once_per_key(system: System, oscar: User) -> None:
    client = door(oscar)
    headers = {"Idempotency-Key": "nightly"}
    first = client.post("/api/v1/exports/", {"system": "payments"}, headers=headers)
    again = client.post("/api/v1/exports/", {"system": "payments"}, headers=headers)
    assert first.status_code == 202
    assert first.json()["uuid"] == again.json()["uuid"]
    path = f"/api/v1/exports/{first.json()['uuid']}/file/"
    assert client.get(path).status_code == 409


def exported(system: System, by: User, **asked: Any) -> tuple[Export, bytes]:
    """A finished export and its bytes."""
    export = jobs.request_export(system, by=by, on=dt.date(2026, 11, 1), **asked)
    jobs.make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    with jobs.open_file(export) as file:
        return export, file.read()


@pytest.mark.django_db(transaction=True)
def test_the_export_equals_the_screen_row_by_row_and_is_reproducible(
    system: System, oscar: User
) -> None:
    """AU-10: the same data makes the same rows."""
    export, made = exported(system, oscar)
    System.objects.filter(pk=system.pk).update(name="Renamed")
    Team.objects.update(name="Renamed team")
    assert exported(system, oscar, known_at=export.known_at)[1] == made
    rows = (
        door(oscar)
        .get("/api/v1/systems/payments/controls/", {"on": "2026-11-01"})
        .json()["results"]
    )
    assert made.decode().count("\r\n") == len(rows) + 1
    for row in rows:
        assert f"{row['control_id']},{row['label']}," in made.decode()


@pytest.mark.django_db(transaction=True)
def test_ac_10_a_requester_who_lost_access_gets_no_file(
    system: System, rita: User
) -> None:
    export = jobs.request_export(system, by=rita, on=dt.date(2026, 11, 1))
    rita.memberships.update(ends_at=clock.now())
    jobs.make_export(export.pk)
    stored = Export.objects.get(pk=export.pk)
    assert stored.state == "failed"
    assert "no longer" in stored.failure
