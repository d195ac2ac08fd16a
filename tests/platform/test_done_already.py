"""RE-03: a step that was taken is not taken again, from no tab and through no door.

The second tab was opened before the first step; its person signed in again since.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent
from evidence.exports.jobs import UNFINISHED
from evidence.models import Export, ExportState
from tests.access import world as worlds
from tests.access.test_who_may import _draft, _flagged
from tests.access.walking import doors
from tests.access.world import World
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

WHY: dict[str, Any] = {"reason": "Because."}
API = {"content_type": "application/json"}


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def path_of(world: World, view: str) -> str:
    (parts,) = {tuple(door.parts) for door in doors() if door.view == view}
    return reverse(view, kwargs=world.parts(view, set(parts)))


def acts() -> int:
    """How many events there are beside those of sign-ins."""
    return AuditEvent.objects.exclude(verb__startswith="session.").count()


def tab(world: World, name: str) -> Client:
    """A browser whose session is its own, and began this moment."""
    client = Client(raise_request_exception=False)
    return sign_in_just_now(client, world.house.people[name])


# Their refusal stands on the page that one comes to.
SAID_BEHIND = {"override_decide", "na_decide"}
# view, who first, who again, what is sent first, what is sent again
STEPS = [
    ("accept", "rita", "raul", {}, {}),
    ("reject", "rita", "raul", WHY, WHY),
    ("letter_decide", "rita", "olivia", WHY | {"decision": "accept"},
     WHY | {"decision": "reject"}),
    ("letter_decide", "rita", "rita", WHY | {"decision": "reject"},
     WHY | {"decision": "accept"}),
    ("letter_decide", "raul", "rita", WHY | {"decision": "accept"},
     WHY | {"decision": "accept"}),
    ("withdraw", "alice", "alice", WHY, WHY),
    ("submit_draft", "alice", "alice", {}, {}),
    ("file_clear", "oscar", "oscar", WHY, WHY),
    ("export_cancel", "oscar", "oscar", {}, {}),
    ("export_delete", "oscar", "oscar", {}, {}),
    ("override_decide", "olivia", "olivia", {"decision": "approve", "version": 1},
     {"decision": "refuse", "version": 1}),
    ("na_decide", "olivia", "olivia", {"decision": "approve", "version": 1},
     {"decision": "refuse", "version": 1}),
    ("removal_decide", "olivia", "olivia", {"decision": "refuse"},
     {"decision": "refuse"}),
    ("hold_lift", "olivia", "olivia", WHY, WHY),
    ("population_judge", "rita", "raul", {"decision": "accept"},
     WHY | {"decision": "reject"}),
    ("component_end", "olivia", "oscar", {"last_day": TODAY, "version": 1},
     {"last_day": TODAY, "version": 1}),
    ("provider_document_end", "olivia", "olivia",
     WHY | {"ended_on": TODAY + dt.timedelta(days=1)},
     WHY | {"ended_on": TODAY + dt.timedelta(days=2)}),
    ("version_end", "olivia", "oscar",
     WHY | {"state": "withdrawn", "on": TODAY},
     WHY | {"state": "withdrawn", "on": TODAY}),
]  # fmt: skip


def prepared(world: World, view: str) -> None:
    if view == "submit_draft":
        _draft(world)
    if view == "file_clear":
        _flagged(world)
    if view == "export_delete":
        Export.objects.filter(closing=None).update(state="done", sha256="0" * 64)


@pytest.mark.parametrize(
    ("view", "first", "again", "sent", "resent"),
    STEPS,
    ids=[f"{step[0]}-{number}" for number, step in enumerate(STEPS)],
)
def test_a_step_that_was_taken_is_not_taken_again(
    world, view, first, again, sent, resent
) -> None:
    prepared(world, view)
    path = path_of(world, f"evidence:{view}")
    answer = tab(world, first).post(path, sent)
    assert answer.status_code == 302, answer.content.decode()
    events = acts()
    for _ in range(2):
        second = tab(world, again).post(path, resent)
        if view in SAID_BEHIND:
            assert second.status_code == 302
        else:
            assert second.status_code in {400, 409, 422}, second.content.decode()
        assert acts() == events


DOORS = [
    ("accept", "rita", {}, "evidence-reject", WHY),
    ("reject", "rita", WHY, "evidence-accept", {}),
    ("withdraw", "alice", WHY, "evidence-withdraw", WHY),
    ("withdraw", "alice", WHY, "evidence-submit", {}),
    ("letter_decide", "rita", WHY | {"decision": "reject"}, "letter-decisions",
     {"system": "shop", "decision": "accept"}),
    ("removal_decide", "olivia", {"decision": "refuse"}, "removal-approve", {}),
    ("population_judge", "rita", {"decision": "accept"}, "population-reject", WHY),
    ("override_decide", "olivia", {"decision": "approve", "version": 1},
     "override-refuse", {}),
    ("na_decide", "olivia", {"decision": "approve", "version": 1},
     "not-applicable-refuse", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("view", "who", "sent", "other", "body"),
    DOORS,
    ids=[f"{door[0]}-{door[3]}" for door in DOORS],
)
def test_nor_through_the_other_door(world, view, who, sent, other, body) -> None:
    path, api = path_of(world, f"evidence:{view}"), path_of(world, other)
    assert tab(world, who).post(path, sent).status_code == 302
    events = acts()
    for tag in (world.tag(other), "*"):
        answer = tab(world, who).post(api, body, headers={"If-Match": tag}, **API)
        assert answer.status_code in {400, 409, 412}, answer.content.decode()
    assert acts() == events


@pytest.mark.parametrize("state", sorted(set(ExportState) - {"queued"}))
def test_an_export_in_any_other_state(world, state) -> None:
    """Only one that is not finished is cancelled."""
    Export.objects.filter(closing=None).update(state=state, sha256="0" * 64)
    going_on = state == ExportState.RUNNING
    answer = tab(world, "oscar").post(path_of(world, "evidence:export_cancel"))
    assert answer.status_code == (302 if going_on else 409)
    expected = ExportState.CANCELLED if going_on else state
    assert Export.objects.filter(closing=None).get().state == expected


@pytest.mark.parametrize("state", sorted(set(ExportState) - {"done"}))
def test_nothing_is_deleted_of_an_export_without_a_file(world, state) -> None:
    """Of one under way there is no file yet: a program stops it by the same door."""
    Export.objects.filter(closing=None).update(state=state)
    page = path_of(world, "evidence:export_delete")
    assert tab(world, "oscar").post(page).status_code == 409
    assert Export.objects.filter(closing=None).get().state == state
    answer = tab(world, "oscar").delete(path_of(world, "export-detail"))
    going_on = state in UNFINISHED
    assert answer.status_code == (204 if going_on else 409)
    expected = ExportState.CANCELLED if going_on else state
    assert Export.objects.filter(closing=None).get().state == expected


def test_jobs_that_were_given_up_begin_anew_once(world, capsys) -> None:
    """Sent again, the command has nothing left to begin."""
    Export.objects.filter(closing=None).update(given_up_at=clock.now())
    for expected in ("1 job begun anew.", "0 jobs begun anew."):
        call_command("given_up_jobs", "--retry")
        assert capsys.readouterr().out.endswith(f"{expected}\n")
