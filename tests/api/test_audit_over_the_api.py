"""Audits, marks and results over the API: what a firm's own tool reads and writes, and
for how long (AC-05, AC-06, R29)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from controls.accounts.tokens import make_token
from controls.engagement_scope import choose_controls
from controls.models import AuditEvent, Engagement, Role, User
from controls.models.tokens import Scope
from evidence.models import ControlMark, TestedItem
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from tests import factories
from tests.evidence import per_event
from tests.evidence.engagements.test_test_a_sample import made_population
from tests.evidence.house import House
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    return per_event.build(settings, tmp_path)


@pytest.fixture
def audit(house: House) -> Engagement:
    return house.system.engagements.get()


class Program:
    """A program with the token of a person."""

    def __init__(self, who: User) -> None:
        secret = make_token(who, name="tool", scope=Scope.WRITE, days=90)[1]
        self.client = Client(headers={"Authorization": f"Token {secret}"})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers=headers,
        )


def test_an_auditor_marks_with_a_token_while_let_in(house, audit) -> None:
    call = Program(house.audrey)
    body = {"engagement": str(audit.uuid), "control_id": "CM-8", "state": "in_progress"}
    made = call("POST", "marks/", body, **{"Idempotency-Key": "k-1"})
    assert made.status_code == 201, made.content
    again = call("POST", "marks/", body, **{"Idempotency-Key": "k-1"})
    assert again.json() == made.json() and ControlMark.objects.count() == 1
    twice = call("POST", "marks/", body, **{"Idempotency-Key": "k-2"})
    assert twice.status_code == 409
    one = f"marks/{made.json()['uuid']}/"
    change = {"state": "satisfied", "methods": ["test"], "note": "Two samples."}
    assert call("PATCH", one, change).status_code == 428
    changed = call("PATCH", one, change, **{"If-Match": made["ETag"]})
    assert changed.json()["state"] == "satisfied"
    assert call("PATCH", one, change, **{"If-Match": made["ETag"]}).status_code == 412
    verbs = AuditEvent.objects.filter(verb="control.marked")
    assert verbs.count() == 2
    table = call("GET", f"engagements/{audit.uuid}/controls/?page_size=2").json()
    assert len(table["results"]) == 2 and table["next"]
    everything = call("GET", f"engagements/{audit.uuid}/controls/").json()["results"]
    (row,) = [row for row in everything if row["control_id"] == "cm-8"]
    assert row["mark"]["note"] == "Two samples." and row["result"]
    reading = AuditEvent.objects.filter(verb="auditor.read").latest("seq")
    assert reading.subject_uuid == audit.uuid

    with time_machine.travel(BEGINS + 40 * DAY, tick=False):
        assert call("GET", f"engagements/{audit.uuid}/").status_code == 404
        assert call("GET", "engagements/").json()["results"] == []
        assert call("GET", "marks/").json()["results"] == []
        late = call("PATCH", one, change, **{"If-Match": changed["ETag"]})
        assert late.status_code == 404
    assert ControlMark.objects.get().version == 2


def test_a_result_of_a_sampled_event(house, audit) -> None:
    population = made_population(house, per_event.made_per_event(house))
    everything = SelectionMethod("all")
    drawn = draw_sample(population, everything, reason="Few.", by=house.audrey)
    item = drawn.items.order_by("pk")[0]
    call = Program(house.audrey)
    body = {"engagement": str(audit.uuid), "item": str(item.uuid)}
    bare = call("POST", "tested-items/", body | {"result": "exception"})
    assert (
        bare.status_code == 400
        and "say what the exception is." in bare.content.decode()
    )
    made = call("POST", "tested-items/", body | {"result": "passed"})
    assert made.status_code == 201 and made.json()["item"] == str(item.uuid)
    one = f"tested-items/{made.json()['uuid']}/"
    wrong = {"result": "exception", "note": "No ticket."}
    changed = call("PATCH", one, wrong, **{"If-Match": made["ETag"]})
    assert changed.json()["note"] == "No ticket."
    listed = call("GET", f"tested-items/?engagement={audit.uuid}&result=exception")
    assert [row["key"] for row in listed.json()["results"]] == [made.json()["key"]]
    assert Program(house.olivia)("GET", one).status_code == 200
    refused = Program(house.olivia)("PATCH", one, wrong, **{"If-Match": "*"})
    assert refused.status_code == 403
    assert Program(house.rita)("GET", one).status_code == 404
    assert TestedItem.objects.get().version == 2


def test_an_officer_keeps_audits_over_the_api(house, audit) -> None:
    """One of several systems, its scope, its access and its end."""
    bank = factories.make_system(
        house.olivia, slug="bank", baseline=house.system.baseline, services=("s3",)
    )
    call = Program(house.olivia)
    draft = {
        "systems": ["shop", "bank"], "title": "ISO 2027", "kind": "iso", "firm": "Sons",
        "window_start": str(TODAY), "window_end": str(TODAY + 300 * DAY),
    }  # fmt: skip
    made = call("POST", "engagements/", draft, **{"Idempotency-Key": "k-1"})
    assert made.status_code == 201, made.content
    here, there = made.json()
    assert here["audit"] == there["audit"] and there["system"] == bank.slug
    one = f"engagements/{here['uuid']}/"
    tag = call("GET", one)["ETag"]
    typed = {"controls": ["CM-8", "AC-1", "XX-1"]}
    unknown = call("PUT", f"{one}scope/", typed, **{"If-Match": tag})
    assert unknown.status_code == 400 and "“XX-1”" in unknown.content.decode()
    typed["controls"].pop()
    chosen = call("PUT", f"{one}scope/", typed, **{"If-Match": tag})
    assert chosen.json()["controls"] == ["ac-1", "cm-8"]
    told = call("GET", f"{one}scope/")
    answer = told.json()
    [change] = answer.pop("changes")
    assert change["about"] == "2 chosen controls" and change["by"] == "Olivia"
    assert answer == {"controls": ["ac-1", "cm-8"], "numbers": []}
    assert told["ETag"] == chosen["ETag"]
    rows = call("GET", f"{one}controls/").json()["results"]
    assert [row["control_id"] for row in rows] == ["ac-1", "cm-8"]
    fixed = call("PATCH", one, {"firm": "Daughters"}, **{"If-Match": chosen["ETag"]})
    assert fixed.json()["firm"] == "Daughters" and fixed.json()["title"] == "ISO 2027"
    nobody = {"people": ["rita@example.test"], "last_day": str(TODAY + 9 * DAY)}
    renewed = call("POST", f"{one}renew/", nobody, **{"If-Match": fixed["ETag"]})
    assert "This engagement has no such auditor" in renewed.content.decode()
    body = {"everywhere": True}
    ended = call("POST", f"{one}end/", body, **{"If-Match": fixed["ETag"]})
    assert ended.json()["ended_at"]
    running = call("GET", "engagements/?running=yes").json()["results"]
    assert [row["uuid"] for row in running] == [str(audit.uuid)]
    draft["systems"] = ["shop"]
    for name in ("audrey", "rita", "alice", "ray"):
        refused = Program(house.people[name])("POST", "engagements/", draft)
        assert refused.status_code == 403, name


def test_a_mark_out_of_scope_is_refused(house) -> None:
    narrow = factories.make_engagement(house.system)
    choose_controls(narrow, ["ac-1"], by=house.olivia)
    factories.give_role(
        house.mallory, house.system, Role.AUDITOR,
        engagement=narrow, ends_at=BEGINS + 9 * DAY,
    )  # fmt: skip
    call = Program(house.mallory)
    body = {"engagement": str(narrow.uuid), "control_id": "cm-8", "state": "satisfied"}
    refused = call("POST", "marks/", body)
    assert refused.status_code == 400
    assert "out of the scope of this audit" in refused.content.decode()
    session = sign_in_just_now(Client(), house.mallory)
    listed = session.get(f"/api/v1/engagements/{narrow.uuid}/controls/").json()
    assert [row["control_id"] for row in listed["results"]] == ["ac-1"]
