"""A reason has one limit at every door, and a longer one is refused, never cut."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from controls.models import AuditEvent
from controls.reasons import MAX_REASON
from evidence.models import Review
from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors
from tests.access.world import World
from tests.evidence import house as houses

TOO_LONG = "x" * MAX_REASON + "y"
NAMES = {"reason", "note", "justification", "rarer_because"}
# The field, and what else must be said to reach it.
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "accept": ("reason", {}),
    "reject": ("reason", {}),
    "review_several": ("reason", {}),
    "reconfirm": ("reason", {}),
    "withdraw": ("reason", {}),
    "revision_new": ("reason", {"kind": "correction"}),
    "letter_decide": ("reason", {"decision": "accept"}),
    "remark_decide": ("reason", {"decision": "accept"}),
    "disposition_decide": ("reason", {"decision": "accept"}),
    "response_decide": ("reason", {"decision": "accept"}),
    "override_request": ("reason", {}),
    "na_request": ("justification", {}),
    "na_end": ("reason", {}),
    "override_settle": ("reason", {}),
    "request_answer": ("note", {}),
    "request_judge": ("reason", {"decision": "cancel", "version": 1}),
    "requirement_edit": ("rarer_because", {}),
    "requirement_new": ("rarer_because", {}),
    "requirement_retire": ("reason", {}),
    "population_judge": ("reason", {"decision": "accept"}),
    "sample_draw": ("reason", {"method": "all"}),
    "deviation_new": ("note", {}),
    "file_clear": ("reason", {}),
    "removal_new": ("reason", {}),
    "retention": ("reason", {"years": 10}),
    "hold_new": ("reason", {}),
    "hold_lift": ("reason", {}),
}
API = {
    "POST evidence-accept": "reason",
    "POST evidence-reject": "reason",
    "POST evidence-decide": "reason",
    "POST evidence-reconfirm": "reason",
    "POST evidence-withdraw": "reason",
    "POST evidence-revise": "reason",
    "POST letter-decisions": "reason",
    "POST remark-answers": "text",
    "POST remark-answer-decide": "reason",
    "POST disposition-decide": "reason",
    "POST response-decide": "reason",
    "POST override-list": "reason",
    "POST not-applicable-list": "justification",
    "POST not-applicable-end": "reason",
    "POST override-settle": "reason",
    "POST component-days": "reason",
    "POST request-accept": "reason",
    "POST request-answer": "note",
    "POST request-send-back": "reason",
    "POST request-cancel": "reason",
    "POST requirement-list": "rarer_because",
    "PUT requirement-detail": "rarer_because",
    "POST requirement-retire": "reason",
    "POST population-accept": "reason",
    "POST population-reject": "reason",
    "POST population-withdraw": "reason",
    "POST population-draw": "reason",
    "POST sample-deviations": "note",
    "POST file-clear": "reason",
    "POST file-remove": "reason",
}


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def _address(world: World, view: str) -> str:
    (path,) = {address(door, world) for door in doors() if door.view == view}
    return path


def _olivia(world: World) -> Client:
    """The officer's browser: of all people she reaches every one of these doors."""
    return browser_of(world, "olivia")


@pytest.mark.parametrize("view", PAGES)
def test_a_page_refuses_a_longer_reason_and_keeps_what_was_typed(
    world: World, view: str
) -> None:
    field, body = PAGES[view]
    if view == "review_several":
        link = world.named["accept"]["uuid"]
        field, body = f"reason-{link}", {f"decision-{link}": "accept"}
    browser, path = _olivia(world), _address(world, f"evidence:{view}")
    before = AuditEvent.objects.count()
    answer = browser.post(path, body | {field: TOO_LONG})
    page = unescape(answer.content.decode())
    assert answer.status_code in {200, 400, 409, 422}
    assert "at most 2,000 characters" in page or "at most 2000 characters" in page
    assert f">{TOO_LONG}<" in page.replace("\n", "") or f'"{TOO_LONG}"' in page
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("way", API)
def test_the_api_refuses_a_longer_reason_and_names_the_field(
    world: World, way: str
) -> None:
    method, view = way.split()
    body = world.bodies.get(way, {})
    if view == "evidence-decide":
        body = [body[0] | {"reason": TOO_LONG}]
    else:
        body = body | {API[way]: TOO_LONG}
    how: dict[str, Any] = {"content_type": "application/json"}
    if view == "evidence-revise":
        names = "performed_on", "period_start", "period_end"
        days = dict.fromkeys(names, houses.TODAY)
        body |= days | {"kind": "correction", "files": [houses.file()]}
        how = {}
    ask = getattr(_olivia(world), method.lower())
    before = AuditEvent.objects.count()
    tag = {"If-Match": world.tag(view)}
    answer = ask(_address(world, view), body, headers=tag, **how)
    assert answer.status_code == 400, answer.content
    errors = answer.json()["errors"]
    errors = errors["0"] if view == "evidence-decide" else errors
    assert "2000 characters" in str(errors[API[way]])
    assert AuditEvent.objects.count() == before


def test_a_line_break_counts_as_one_character_as_in_the_browser(world: World) -> None:
    reason = "x" * (MAX_REASON - 2) + "\r\n" + "y"
    answer = _olivia(world).post(_address(world, "evidence:accept"), {"reason": reason})
    assert answer.status_code == 302
    assert Review.objects.get().reason == reason.replace("\r\n", "\n")


def test_no_door_of_the_api_takes_a_reason_without_the_limit() -> None:
    """Of whatever the schema says that a request may hold."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    kinds = {
        content["schema"].get("items", content["schema"])["$ref"].rpartition("/")[2]
        for path in schema["paths"].values()
        for operation in path.values()
        if "requestBody" in operation
        for content in operation["requestBody"]["content"].values()
    }
    limits = {
        (kind, name): stated.get("maxLength")
        for kind in kinds
        for name, stated in schema["components"]["schemas"][kind]["properties"].items()
        if name in NAMES
    }
    assert len(limits) > 10
    assert set(limits.values()) == {MAX_REASON}, limits
