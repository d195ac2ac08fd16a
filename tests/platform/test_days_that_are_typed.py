"""Days that people and scripts type lie within the bounds of all clocks.

A day that the calendar of a database knows, and a page cannot reckon with, is refused
with a sentence, at every form and every body.
"""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls import clock
from evidence.models import SpillRemoval
from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors
from tests.access.world import World
from tests.evidence.house import file
from tests.platform.test_forms_sent_twice import Form, forms
from tests.sign_ins import sign_in_just_now

OUTSIDE = ("0001-01-01", "1989-12-31", "2201-01-01", "9999-12-31")
DATED = [
    "upload",
    "upload_supplementary",
    "revision_new",
    "system_new",
    "component_add",
    "request_new",
    "requirement_new",
    "override_request",
    "na_request",
    "version_new",
    "letter_new",
    "disclosure_new",
    "export_request",
    "component_end",
    "requirement_edit",
    "requirement_retire",
    "version_end",
    "provider_document_end",
    "population_new",
    "roll_forward",
    "people_invite",
    "role_days",
    "engagement_new",
    "engagement_renew",
]


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = worlds.build()
    SpillRemoval.objects.update(state="refused", decided_by=built.house.olivia)
    return built


def sent_to(world: World, view: str) -> tuple[str, Form]:
    """Where a form is sent, and a body that it takes."""
    today = clock.today()
    why = {"reason": "Because.", "version": 1}
    more = {
        "component_end": {"last_day": today, "version": 1},
        "requirement_edit": {"title": "New", "cadence": "monthly", "version": 1,
                             "purpose": "operation", "operates_from": today},
        "requirement_retire": why | {"until": today},
        "version_end": why | {"on": today, "state": "ended"},
        "provider_document_end": {"ended_on": today},
        "population_new": {"starts": today, "ends": today, "source": "s",
                           "query": "q", "completeness": "c"},
        "role_days": {"version": 1, "last_day": today},
        "engagement_renew": {"version": 1, "last_day": today,
                             "people": world.house.audrey.uuid},
        "roll_forward": {"window_from": today, "window_to": today},
    }  # fmt: skip
    named = f"evidence:{view}"
    (door,) = {d for d in doors() if d.view == named and "POST" in d.methods}
    path = reverse(named, kwargs=world.parts(named, set(door.parts)))
    if view in {"override_request", "na_request"}:
        path = path.replace("cm-8", "si-2")
    if view in more:
        who = "alice" if view == "population_new" else "olivia"
        return path, Form(who, more[view], {})
    return path, forms(world)[view]


def is_day(value: Any) -> bool:
    """Whether a value of a body is a day."""
    try:
        return bool(dt.date.fromisoformat(str(value)))
    except ValueError:
        return False


@pytest.mark.parametrize("view", DATED)
def test_a_form_refuses_a_day_outside_the_bounds_of_all_clocks(world, view) -> None:
    path, form = sent_to(world, view)
    client = Client(raise_request_exception=False)
    sign_in_just_now(client, world.house.people[form.who])
    named = [name for name, value in form.body.items() if is_day(value)]
    assert named
    for name in named:
        for day in OUTSIDE:
            body = form.body | {name: day}
            body |= {field: file("r.txt", kept) for field, kept in form.files.items()}
            answer = client.post(path, body)
            shown = unescape(answer.content.decode())
            assert answer.status_code in {400, 422}, (name, day)
            if view == "component_end":  # its page says what a last day is
                assert "Say the last day" in shown
                continue
            assert f"“{day}” lies outside 1990-01-01 to 2200-12-31" in shown


def test_a_component_does_not_end_before_its_first_day(world) -> None:
    """At both doors; it was a failure of the database."""
    client = browser_of(world, "olivia")
    component = world.house.system.components.order_by("pk")[0]
    before = str(component.used_from - dt.timedelta(days=1))
    sentence = f"It is in use from {component.used_from} on."
    path, _ = sent_to(world, "component_end")
    page = client.post(path, {"last_day": before, "version": 1})
    assert page.status_code == 400 and sentence in page.content.decode()
    (door,) = {d for d in doors() if d.view == "component-end"}
    answer = client.post(
        address(door, world),
        {"last_day": before},
        content_type="application/json",
        headers={"If-Match": world.tag("component-end")},
    )
    assert answer.status_code == 400 and sentence in answer.content.decode()
    component.refresh_from_db()
    assert component.used_until is None


BODIES = [
    ("POST", "system-list"),
    ("PATCH", "system-detail"),
    ("POST", "request-list"),
    ("POST", "requirement-list"),
    ("PUT", "requirement-detail"),
    ("POST", "requirement-retire"),
    ("POST", "population-list"),
    ("POST", "evidence-list"),
    ("POST", "override-list"),
    ("POST", "not-applicable-list"),
    ("POST", "artifact-versions"),
    ("POST", "artifact-version-letters"),
    ("POST", "disclosure-list"),
    ("POST", "component-end"),
    ("POST", "provider-document-end"),
]
BESIDES = {
    "system-detail": {"window_start": "2026-01-01", "window_end": "2026-12-31"},
    "artifact-versions": {"label": "x", "starts": "2025-01-01", "ends": "2025-06-30",
                          "issued_on": "2025-07-31", "services": ["*"]},
    "artifact-version-letters": {"issued_on": "2025-07-31", "ends": "2025-07-31"},
    "component-end": {"last_day": "2026-06-30"},
    "provider-document-end": {"ended_on": "2026-06-30", "reason": "Withdrawn."},
}  # fmt: skip


@pytest.mark.parametrize(("method", "view"), BODIES)
def test_a_body_refuses_a_day_outside_the_bounds_of_all_clocks(
    world, method, view
) -> None:
    (door,) = {d for d in doors() if d.view == view and method in d.methods}
    body = BESIDES.get(view) or world.bodies[f"{method} {view}"]
    client = browser_of(world, "alice" if view == "population-list" else "olivia")
    headers = {"If-Match": world.tag(view)}
    named = [name for name, value in body.items() if is_day(value)]
    assert named
    for name in named:
        for day in OUTSIDE:
            sent = body | {name: day}
            how: dict[str, Any] = {"content_type": "application/json"}
            if "files" in sent:
                how, sent = {}, sent | {"files": [file("r.txt", b"r")]}
            ask = getattr(client, method.lower())
            answer = ask(address(door, world), sent, headers=headers, **how)
            assert answer.status_code == 400, (name, day, answer.content)
            sentence = f"“{day}” lies outside 1990-01-01 to 2200-12-31."
            assert sentence in str(answer.json()), (name, day)
