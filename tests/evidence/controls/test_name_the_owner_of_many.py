"""An officer gives many controls of a list to a team in one act, each seen before.

AU-01: one event for each control. AC-01: nobody but officers of the system.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from controls.models import AuditEvent, ControlImplementation
from tests.evidence import house as houses

pytestmark = pytest.mark.django_db
LIST = "/systems/shop/controls/"
DOOR = "/systems/shop/owner/"


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def olivia(client: Any, house: houses.House) -> Any:
    client.force_login(house.olivia)
    return client


def owned_by(house: houses.House, slug: str) -> list[str]:
    rows = house.system.implementations.filter(owner_team__slug=slug)
    ordered = rows.order_by("control__sort_order")
    return list(ordered.values_list("control__ref_id", flat=True))


def token_of(page: str) -> str:
    return re.findall(r'name="token" value="([^"]+)"', page)[0]


def preview(browser: Any, house: houses.House, query: str = "", **body: Any) -> Any:
    """What would become of each control, by the address of before there was one for
    all acts."""
    page = browser.post(DOOR + query, {"ticked": body.pop("ticked", [])})
    if page.status_code != 302:
        return page
    return browser.post(page["Location"], {"owner_team": house.other_team.pk, **body})


def test_all_of_a_filtered_list_are_seen_then_given(olivia, house) -> None:
    page = preview(olivia, house, "?family=pe").content.decode()
    text = " ".join(page.split())
    assert "Assign Data to 1 control" in text
    assert "PE-3" in text and "Platform" in text
    assert owned_by(house, "data") == []  # nothing is recorded yet

    done = olivia.post(f"{DOOR}confirm/", {"token": token_of(page)}, follow=True)

    assert "Data owns 1 more control." in done.content.decode()
    assert done.request["QUERY_STRING"] == "family=pe"
    assert owned_by(house, "data") == ["pe-3"]
    event = AuditEvent.objects.filter(verb="implementation.described").last()
    assert event.actor == house.olivia
    assert (
        '"owner_team":"Data"' in event.body and '"owner_team":"Platform"' in event.body
    )


def test_only_those_that_are_ticked(olivia, house) -> None:
    listed = olivia.get(LIST).content.decode()
    assert ">Assign an owner</button>" in listed
    page = preview(olivia, house, ticked=["cm-8", "ac-1", "no-1"]).content.decode()
    olivia.post(f"{DOOR}confirm/", {"token": token_of(page)})
    assert owned_by(house, "data") == ["ac-1", "cm-8"]
    again = preview(olivia, house, ticked=["cm-8", "si-2"]).content.decode()
    assert re.search(r"unchanged</span>\s*<b>1</b>", again)


def test_a_choice_of_one_act_is_not_taken_by_another(olivia, house) -> None:
    chosen = olivia.post("/systems/shop/implementation-status/")["Location"]
    assert "/many/status/" in chosen
    answer = olivia.get(chosen.replace("/many/status/", "/many/owner/"))
    assert answer.status_code == 409


def test_confirmed_twice_it_is_done_once(olivia, house) -> None:
    page = preview(olivia, house, ticked=["cm-8"]).content.decode()
    body = {"token": token_of(page)}
    olivia.post(f"{DOOR}confirm/", body)
    count = AuditEvent.objects.count()
    again = olivia.post(f"{DOOR}confirm/", body, follow=True).content.decode()
    assert "submitted before" in again
    assert AuditEvent.objects.count() == count


def test_what_changed_since_is_looked_at_again(olivia, house) -> None:
    page = preview(olivia, house, ticked=["cm-8"]).content.decode()
    cm_8 = ControlImplementation.objects.filter(control__ref_id="cm-8")
    cm_8.filter(system=house.system).update(owner_team=None)
    answer = olivia.post(f"{DOOR}confirm/", {"token": token_of(page)})
    assert answer.status_code == 409
    assert "Something changed since" in answer.content.decode()
    assert owned_by(house, "data") == []


def test_a_token_is_of_one_person_and_cannot_be_made_up(olivia, house, client) -> None:
    page = preview(olivia, house, ticked=["cm-8"]).content.decode()
    assert olivia.post(f"{DOOR}confirm/", {"token": "x"}).status_code == 409
    client.force_login(house.rita)
    assert client.post(f"{DOOR}confirm/", {"token": token_of(page)}).status_code == 403
    assert preview(client, house).status_code == 403
    assert "Assign an owner" not in client.get(LIST).content.decode()
    assert owned_by(house, "data") == []


def test_nothing_to_change_and_no_such_team_are_said(olivia, house) -> None:
    same = preview(olivia, house, owner_team=house.team.pk)
    assert "None of these rows would change: choose other rows" in same.content.decode()
    wrong = preview(olivia, house, owner_team="99999", ticked=["cm-8"])
    assert wrong.status_code == 422
    none = preview(olivia, house, "?q=no+such+control")
    assert "Choose at least one row." in none.content.decode()
