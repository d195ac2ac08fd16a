"""A part of a control may be further, or less far, than the control as a whole."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from controls import clock
from controls.control_parts import parts_of, settled
from controls.models import AuditEvent, Control
from evidence.status.control_status import control_statuses, moment_of
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def control(system):
    return factories.implementation(system, "ac-2")


def say(browser, control, **changes):
    url = reverse("evidence:control_describe", args=[control.system.slug, "ac-2"])
    said = {
        "implementation_status": "implemented",
        "owner_team": control.owner_team_id,
        "customer_statement": "We review accounts.",
        "version": control.version,
    }
    return browser.post(url, said | changes, follow=True)


def page_of(browser, control, **query):
    url = reverse("evidence:control", args=[control.system.slug, "ac-2"])
    return browser.get(url, query).content.decode()


def test_parts_are_named_by_their_whole_path(control):
    labels = [part.label for part in parts_of(control.control)]
    assert labels[:5] == ["a", "b", "c", "d", "d.1"]
    first = parts_of(Control.objects.filter(ref_id="ac-1")[0])
    assert [part.label for part in first[:3]] == ["a", "a.1", "a.1(a)"]
    assert not parts_of(Control.objects.filter(ref_id="ac-2.1")[0])


def test_a_part_that_differs_is_kept_and_shown(system, control, alice, as_user):
    browser = as_user(alice)
    assert "Parts that differ" not in page_of(browser, control)

    answer = say(browser, control, **{"part_ac-2_smt.d.1": "planned"})

    page = answer.content.decode()
    assert "How we do it: planned" in page
    assert "AC-2 d.1" in page
    control.refresh_from_db()
    assert control.implementation_status == "implemented"
    assert control.part_statuses == {"ac-2_smt.d.1": "planned"}
    assert control.worst_status == "planned"


def test_the_control_is_as_far_as_its_worst_part(system, control, alice, as_user):
    say(as_user(alice), control, **{"part_ac-2_smt.a": "partial"})
    today = system.day_of(clock.now())
    answer = control_statuses(system, moment_of(system, today, None), pks=[control.pk])[
        0
    ]
    assert "implementation_partial" in [r.code for r in answer.status.reasons]
    row = as_user(alice).get(f"/api/v1/systems/{system.slug}/controls/ac-2/").json()
    assert row["implementation_status"] == "partial"


def test_a_part_that_says_the_same_is_not_kept(control, alice, as_user):
    said = {"part_ac-2_smt.a": "implemented", "part_ac-2_smt.b": "partial"}
    say(as_user(alice), control, **said)
    control.refresh_from_db()
    assert control.part_statuses == {"ac-2_smt.b": "partial"}
    say(as_user(alice), control, implementation_status="partial", **said)
    control.refresh_from_db()
    assert control.part_statuses == {"ac-2_smt.a": "implemented"}


def test_parts_that_all_differ_decide_for_the_control(control):
    parts = parts_of(control.control)
    every = {part.statement_id: "implemented" for part in parts}
    every["ac-2_smt.b"] = "partial"
    status, kept = settled(control.control, "planned", every)
    assert status == "partial"
    assert "ac-2_smt.b" not in kept
    assert set(kept.values()) == {"implemented"}


def test_it_is_recorded_with_both_states(control, alice, as_user):
    say(as_user(alice), control, **{"part_ac-2_smt.a": "planned"})
    event = AuditEvent.objects.get(verb="implementation.described")
    body = json.loads(event.body)
    assert event.actor == alice
    assert body["before"]["part_statuses"] == {}
    assert body["after"]["part_statuses"] == {"ac-2_smt.a": "planned"}


def test_the_past_shows_what_was_said_then(control, alice, as_user):
    browser = as_user(alice)
    before = clock.now()
    say(browser, control, **{"part_ac-2_smt.a": "planned"})
    assert "Parts that differ" in page_of(browser, control)
    then = page_of(browser, control, known_at=before.isoformat())
    assert "Parts that differ" not in then


def test_a_wrong_status_shows_the_form_again(control, alice, as_user):
    answer = say(as_user(alice), control, **{"part_ac-2_smt.a": "nearly"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "offers no such choice" in page
    assert "We review accounts." in page
    control.refresh_from_db()
    assert control.part_statuses == {}


def test_a_stale_form_keeps_the_parts(control, alice, oscar, as_user):
    say(as_user(alice), control, **{"part_ac-2_smt.a": "planned"})
    answer = say(as_user(oscar), control, **{"part_ac-2_smt.b": "partial"})
    assert answer.status_code == 409
    form = answer.context["describe_form"]
    assert form["part_ac-2_smt.b"].value() == "partial"
    control.refresh_from_db()
    assert control.part_statuses == {"ac-2_smt.a": "planned"}


@pytest.mark.parametrize(
    ("who", "status"), [("rita", 403), ("audrey", 403), ("mallory", 404)]
)
def test_others_say_nothing_of_parts(who, status, request, control, as_user):
    browser = as_user(request.getfixturevalue(who))
    said = {"part_ac-2_smt.a": "planned"}
    assert say(browser, control, **said).status_code == status
    control.refresh_from_db()
    assert control.part_statuses == {}


# --- the second door ----------------------------------------------------------


def patch(browser, control, said, *, tag=None):
    url = f"/api/v1/systems/{control.system.slug}/controls/ac-2/"
    headers = {"If-Match": tag or browser.get(url).headers.get("ETag", '"none"')}
    return browser.patch(url, said, "application/json", headers=headers)


def test_the_api_says_it_too(control, alice, as_user):
    browser = as_user(alice)
    answer = patch(browser, control, {"part_statuses": {"ac-2_smt.a": "planned"}})
    assert answer.status_code == 200, answer.content
    assert answer.json()["part_statuses"] == {"ac-2_smt.a": "planned"}
    assert answer.json()["owner_team"] == "platform"
    answer = patch(browser, control, {"customer_statement": "More words."})
    assert answer.json()["part_statuses"] == {"ac-2_smt.a": "planned"}
    tag = f'"{control.uuid}:1"'
    stale = patch(browser, control, {"customer_statement": "Late"}, tag=tag)
    assert stale.status_code == 412


@pytest.mark.parametrize(
    "statuses", [{"ac-2_smt.z": "planned"}, {"ac-2_smt.a": "nearly"}]
)
def test_the_api_names_unknown_parts_and_statuses(statuses, control, alice, as_user):
    answer = patch(as_user(alice), control, {"part_statuses": statuses})
    assert answer.status_code == 400
    assert "part_statuses" in answer.json()["errors"]


@pytest.mark.parametrize(("who", "status"), [("rita", 403), ("mallory", 404)])
def test_the_api_refuses_others(who, status, request, control, as_user):
    browser = as_user(request.getfixturevalue(who))
    said = {"part_statuses": {"ac-2_smt.a": "planned"}}
    assert patch(browser, control, said).status_code == status
