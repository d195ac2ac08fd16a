"""RE-03, IN-01: what is odd in a form of audits, findings and acts on many is refused
with a sentence, never with a fault; a step that another tab has taken is told apart.

One file: every such form is tried in the same ways.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.access import world as worlds
from tests.access.walking import Undo, address, doors
from tests.access.world import World
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
WHO = {
    "olivia": """engagement_new engagement_renew engagement_end engagement_take_out
    observation_new finding_new observation_dispose finding_dispose disposition_decide
    response_new response_decide remark_answer remark_decide citations_decide
    request_answer request_judge request_new bulk_choose bulk_act bulk_act_confirm""",
    "audrey": "marks_save mark results_save request_list request_list_confirm",
    "alice": "duties_acknowledge",
}
ODD = {
    "digits": "9" * 5000,
    "a large number": "9" * 20,
    "nul": "a\0b",
    "no leap year": "2027-02-29",
    "the last day": "9999-12-31",
    "nothing": "",
}
# Forms of reports, scopes and retention: the names of what is typed into each.
TYPED = {
    "engagement_scope": ["which", "controls", "pasted"],
    "report_hold": ["agreement", "term", "confirmed"],
    "report_term": ["confirmed"],
    "report_clear": ["reason"],
    "report_release": ["engagement", "reason"],
    "report_remove": ["reason"],
    "report_removal_decide": ["decision", "reason"],
    "report_fetch": ["agreement", "term"],
    "disclosure_new": ["recipient", "firm", "given_on", "reason", "file"],
    "version_coverage": ["family", "ticked", "controls", "section", "page"],
    "version_coverage_import": ["token"],
    "version_coverage_begin": ["how", "families", "reason"],
    "version_coverage_lines": ["lines", "act", "reason"],
    "version_user_controls_import": ["token"],
    "version_scope_confirm": ["token", "lines"],
    "reliance": ["conclusion", "letters", "scope_note"],
    "retention": ["years", "reason", "change"],
    "hold_new": ["reason", "evidence"],
    "hold_lift": ["reason"],
}
# Of the acts on many rows, what their pages say.
ACTS = {
    "owner": ["owner_team"],
    "status": ["implementation_status", "stated_from"],
    "cadence": ["cadence", "rarer_because"],
    "request": ["title_of_request", "what", "team", "due_on"],
    "not-applicable": ["justification", "review_by"],
}
GOOD = {
    "implementation_status": "planned", "cadence": "monthly",
    "title_of_request": "Show", "due_on": "2026-12-24", "justification": "None here.",
    "review_by": "2027-06-30", "stated_from": "2026-11-23",
}  # fmt: skip


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def status_of(client: Client, place: str, body: dict[str, Any]) -> int:
    """The status of one form, whose writing is taken back."""
    for value in body.values():
        if hasattr(value, "seek"):
            value.seek(0)
    try:
        with transaction.atomic():
            status = client.post(place, body).status_code
            raise Undo
    except Undo:
        return int(status)


def browser(world: World, who: str) -> Client:
    client = Client(raise_request_exception=False)
    return sign_in_just_now(client, world.house.people[who])


def test_odd_fields_are_refused_without_a_fault(world) -> None:
    wrong = []
    of_view = {door.view: door for door in doors() if "POST" in door.methods}
    for who, views in WHO.items():
        client = browser(world, who)
        for view in views.split():
            place = address(of_view[f"evidence:{view}"], world)
            body = world.bodies.get(f"POST evidence:{view}", {})
            for name in [*body, "version", "state-\0"]:
                for kind, text in ODD.items():
                    status = status_of(client, place, body | {name: text})
                    if status >= 500:
                        wrong.append((view, name, kind, status))
    assert wrong == []


def test_odd_words_about_reports_and_scopes_are_refused_without_a_fault(world) -> None:
    wrong, client = [], browser(world, "olivia")
    of_view = {door.view: door for door in doors() if "POST" in door.methods}
    for view, names in TYPED.items():
        place = address(of_view[f"evidence:{view}"], world)
        for name in [*names, "version"]:
            for kind, text in ODD.items():
                body = dict.fromkeys(names, "1") | {name: text}
                status = status_of(client, place, body)
                if status >= 500:
                    wrong.append((view, name, kind, status))
    assert wrong == []


def chosen_for(client: Client, act: str) -> str:
    """The page of an act on all controls of the list."""
    place = reverse("evidence:bulk_choose", args=["shop"])
    answer = client.post(place, {"act": act})
    assert answer.status_code == 302, answer.text
    return str(answer["Location"])


def test_odd_words_in_acts_on_many_are_refused_without_a_fault(world) -> None:
    client, wrong = browser(world, "olivia"), []
    for act, fields in ACTS.items():
        place = chosen_for(client, act)
        body = {name: GOOD[name] for name in fields if name in GOOD}
        for name in fields:
            for kind, text in ODD.items():
                status = status_of(client, place, body | {name: text})
                if status >= 500:
                    wrong.append((act, name, kind, status))
        for query in ("", "?chosen=odd", "?chosen=" + "9" * 5000):
            bare = place.partition("?")[0] + query
            for answer in (client.get(bare), client.post(bare, body)):
                if answer.status_code not in {302, 409}:
                    wrong.append((act, query[:20], answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("act", ["status", "request", "not-applicable"])
def test_two_tabs_of_an_act_on_many(world, act) -> None:
    """Confirmed twice it is done once; the preview of the other tab is too late."""
    client = browser(world, "olivia")
    place = chosen_for(client, act)
    body = {name: GOOD[name] for name in ACTS[act] if name in GOOD}
    body |= {"team": world.house.team.pk} if act == "request" else {}
    tokens = [
        re.findall(r'name="token" value="([^"]+)"', client.post(place, body).text)
        for _ in range(2)
    ]
    (one,), (two,) = tokens
    confirm = reverse("evidence:bulk_act_confirm", args=["shop", act])
    assert client.post(confirm, {"token": one}).status_code == 302
    again = client.post(confirm, {"token": one}, follow=True)
    assert "This was submitted before" in again.text
    if act != "request" and two != one:
        late = client.post(confirm, {"token": two})
        assert late.status_code == 409
        assert "Look at it again" in late.text


def test_an_odd_version_ends_no_engagement(world) -> None:
    audit = world.house.system.engagements.get(title="SOC 2")
    client = browser(world, "olivia")
    place = reverse("evidence:engagement_end", args=["shop", audit.uuid])
    for version in ("", "odd", "9" * 5000, "0", "-1"):
        client.post(place, {"version": version})
        audit.refresh_from_db()
        assert audit.ended_at is None, version
    client.post(place, {"version": audit.version})
    audit.refresh_from_db()
    assert audit.ended_at is not None
    told = client.post(place, {"version": audit.version}, follow=True)
    assert told.status_code == 200
    assert "ended" in told.text


@pytest.mark.parametrize("key", ["9" * 20, "9" * 5000, "odd"])
def test_evidence_that_cannot_be_offers_nothing(world, key) -> None:
    """Chosen in the address of a request, as its search sends it again."""
    client = browser(world, "alice")
    request = world.named["request"]["uuid"]
    place = reverse("evidence:request", args=[request])
    assert client.get(place, {"evidence": key}).status_code == 200
