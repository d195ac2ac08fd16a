"""AU-07, AZ-12, R32: retention and legal holds over the API, with every refusal; who
lets proof be destroyed earlier proves who they are again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import RetrospectiveChange, Role
from evidence.files.retention import retention_years
from evidence.models import Evidence, LegalHold
from tests.evidence import house as houses
from tests.evidence.house import House, give
from tests.factories import PASSWORD
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
JSON = "application/json"
NOT_THERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    oscar = built.people["oscar"] = houses.person("oscar")
    oscar.set_password(PASSWORD)  # what he can prove himself with
    oscar.save()
    give(built, "oscar", Role.OFFICER)
    houses.submitted(built)
    return built


def proven(house: House, name: str) -> Client:
    return sign_in_just_now(Client(), house.people[name])


def long_ago(house: House, name: str) -> Client:
    """Signed in, and the password was typed too long ago."""
    client = Client()
    client.force_login(house.people[name])
    return client


def address(house: House, *more: str) -> str:
    return "/".join([f"/api/v1/systems/{house.system.slug}", *more, ""])


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, body, JSON, headers=headers)


def asked(house: House, years: int) -> RetrospectiveChange:
    """Asked by olivia over the API."""
    body = {"years": years, "reason": "The contract says so."}
    answer = post(proven(house, "olivia"), address(house, "retention"), body)
    assert answer.status_code == 202, answer.content
    change = RetrospectiveChange.objects.latest("pk")
    assert answer.json()["uuid"] == str(change.uuid)
    return change


def test_another_number_of_years_is_asked_for_and_approved(house) -> None:
    change = asked(house, 10)
    assert retention_years(house.system) == 7
    approve = f"/api/v1/retrospective-changes/{change.uuid}/approve/"
    match = {"If-Match": f'"{change.uuid}:{change.version}"'}
    own = post(proven(house, "olivia"), approve, {}, **match)
    assert own.status_code == 403, "not by who asked (R32)"
    # a longer one destroys nothing: no proof is asked for
    assert post(long_ago(house, "oscar"), approve, {}, **match).status_code == 200
    shown = proven(house, "ray").get(address(house, "retention")).json()
    assert (shown["years"], shown["classes"][0]["years"]) == (10, 10)


def test_a_shorter_one_is_approved_by_who_proved_who_they_are(house) -> None:
    """AZ-12, like lifting a hold: over the API and on the page; refusing needs none."""
    change = asked(house, 3)
    approve = f"/api/v1/retrospective-changes/{change.uuid}/approve/"
    match = {"If-Match": f'"{change.uuid}:{change.version}"'}
    refused = post(long_ago(house, "oscar"), approve, {}, **match)
    assert (refused.status_code, retention_years(house.system)) == (403, 7)
    assert "Confirm that it is you at" in refused.json()["detail"]
    page = reverse("evidence:retrospective_decide", args=[change.uuid])
    form = {"decision": "approve", "version": change.version}
    answer = long_ago(house, "oscar").post(page, form)
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert retention_years(house.system) == 7
    assert proven(house, "oscar").post(page, form).status_code == 302
    assert retention_years(house.system) == 3

    other = asked(house, 2)
    page = reverse("evidence:retrospective_decide", args=[other.uuid])
    long_ago(house, "oscar").post(page, {"decision": "refuse", "version": 1})
    other.refresh_from_db()
    assert (other.state, retention_years(house.system)) == ("refused", 3)


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("ray", {"years": 3, "reason": "r"}, 403),
        ("mallory", {"years": 3, "reason": "r"}, 404),
        ("olivia", {"years": 0, "reason": "r"}, 400),
        ("olivia", {"years": 101, "reason": "r"}, 400),
        ("olivia", {"years": "x", "reason": "r"}, 400),
        ("olivia", {"years": 3, "reason": " "}, 400),
        ("olivia", {"years": 3}, 400),
        ("olivia", {"years": 7, "reason": "r"}, 409),
    ],
)
def test_what_is_no_change_is_refused(house, who, body, status) -> None:
    answer = post(proven(house, who), address(house, "retention"), body)
    assert answer.status_code == status, answer.content
    assert not RetrospectiveChange.objects.exists()


def test_asking_needs_proof_and_the_same_is_asked_once(house) -> None:
    body = {"years": 3, "reason": "r"}
    answer = post(long_ago(house, "olivia"), address(house, "retention"), body)
    assert (answer.status_code, RetrospectiveChange.objects.count()) == (403, 0)
    asked(house, 3)
    again = post(proven(house, "oscar"), address(house, "retention"), body)
    assert (again.status_code, RetrospectiveChange.objects.count()) == (409, 1)


def test_a_hold_is_placed_by_one_officer_and_lifted_by_another(house) -> None:
    """Its events say who did what; everybody else learns of none of it."""
    holds, evidence = address(house, "legal-holds"), Evidence.objects.get()
    body = {"evidence": str(evidence.uuid), "reason": "Shop v. Mallory"}
    for who, status in (("ray", 403), ("rita", 403), ("mallory", 404)):
        assert post(proven(house, who), holds, body).status_code == status
        assert proven(house, who).get(holds).status_code == status
    for wrong, status in (
        (body | {"reason": ""}, 400),
        (body | {"evidence": NOT_THERE}, 404),
        (body | {"evidence": "x"}, 400),
    ):
        assert post(proven(house, "olivia"), holds, wrong).status_code == status
    assert not LegalHold.objects.exists()

    key = {"Idempotency-Key": "hold-1"}
    placed = post(proven(house, "olivia"), holds, body, **key)
    assert placed.status_code == 201, placed.content
    assert post(proven(house, "olivia"), holds, body, **key).json() == placed.json()
    hold = LegalHold.objects.get()
    (listed,) = proven(house, "oscar").get(holds).json()["results"]
    assert listed["evidence"] == str(evidence.uuid)

    one = f"{holds}{hold.uuid}/"
    lift = f"{one}lift/"
    why = {"reason": "Settled"}
    assert post(proven(house, "olivia"), lift, why).status_code == 403, "placed it"
    assert post(proven(house, "ray"), lift, why).status_code == 404
    assert post(proven(house, "oscar"), lift, {"reason": ""}).status_code == 400
    assert post(long_ago(house, "oscar"), lift, why).status_code == 403
    hold.refresh_from_db()
    assert hold.lifted_by is None
    lifted = post(proven(house, "oscar"), lift, why)
    assert lifted.json()["lifted_by"] == house.oscar.email
    assert post(proven(house, "oscar"), lift, why).status_code == 409

    events = proven(house, "olivia").get(f"{one}events/").json()
    assert [(e["verb"], e["actor"]) for e in events] == [
        ("legal-hold.placed", str(house.olivia)),
        ("legal-hold.lifted", str(house.oscar)),
    ]
    assert events[0]["facts"]["over"] == evidence.title
    for path in (one, f"{one}events/"):
        assert proven(house, "ray").get(path).status_code == 404
