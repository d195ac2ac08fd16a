"""Every address answers everybody as the table says (AC-01).

A new address, a new method or another answer fails here until somebody has written
into `table.txt` who may do that.
"""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from tests.access import world as worlds
from tests.access.walking import (
    TABLE,
    browser_of,
    doors,
    said_in_table,
    token_of,
    tried,
)


@pytest.fixture
def world(db, settings, tmp_path):
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def every_way() -> list[tuple[str, str]]:
    """Method and view of each door."""
    return [(method, door.view) for door in doors() for method in door.methods]


def test_every_address_stands_in_the_table_once() -> None:
    written = [tuple(line.split()[:2]) for line in TABLE.read_text().splitlines()]
    rows = [row for row in written if row and not row[0].startswith("#")]
    assert sorted(rows) == sorted(every_way())


@pytest.mark.parametrize("name", worlds.COLUMNS)
def test_every_address_answers_as_the_table_says(world, name: str) -> None:
    table, browser = said_in_table(name), browser_of(world, name)
    found = {
        (method, door.view): tried(browser, door, method, world)
        for door in doors()
        for method in door.methods
    }
    wrong = {way: (got, table[way]) for way, got in found.items() if got != table[way]}
    assert not wrong, f"{name}: (found, table) {wrong}"


@pytest.mark.parametrize("name", ["nora", "gone", "edgar", "bob", "olivia", "audrey"])
def test_a_token_to_read_reads_like_its_owner_and_changes_nothing(world, name) -> None:
    table, client = said_in_table(name), token_of(world, name)
    for door in doors():
        if not reverse_is_api(door) or door.view.startswith("token-"):
            continue
        for method in door.methods:
            got, wanted = tried(client, door, method, world), table[method, door.view]
            if method == "GET" or wanted == 401:
                assert got == wanted, (method, door.view)
            else:
                assert got == 403, (method, door.view)


def reverse_is_api(door) -> bool:
    """Whether a door is of the API, and answers a token."""
    return ":" not in door.view and door.view not in {
        "csp_report",
        "favicon.ico",
        "schema",
        "api_docs",
    }


def test_what_an_auditor_reads_by_token_is_recorded_and_cannot_write(world) -> None:
    """AC-06 holds for programs as for browsers."""
    answer = token_of(world, "audrey").get(reverse("system-list"))
    assert answer.status_code == 200
    assert answer.wsgi_request.reads_only
    event = AuditEvent.objects.filter(verb="auditor.read").latest("seq")
    assert event.actor_id == world.house.audrey.pk


def test_a_name_of_a_page_does_not_free_an_auditor_from_reading_only(world) -> None:
    answer = browser_of(world, "audrey").get("/systems/download/")
    assert answer.status_code == 404
    assert answer.wsgi_request.reads_only


def test_who_lost_every_role_does_not_begin_a_system_anew(world) -> None:
    answer = browser_of(world, "edgar").get(reverse("evidence:system_new"))
    assert answer.status_code == 403
