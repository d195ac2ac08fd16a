"""A filter of the list of controls is kept under a name: of one person and system.

AC-01: nobody sees the saved filters of somebody else, or of a system they do not see.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from controls.models import Membership
from evidence.models import SavedFilter
from evidence.systems.saved_filters import MAX_SAVED_FILTERS, save_filter
from tests.evidence import house as houses
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
LIST = "/systems/shop/controls/"
PAGE = "/systems/shop/saved-filters/"
API = "/api/v1/systems/shop/saved-filters/"


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def olivia(house: houses.House) -> Client:
    return sign_in_just_now(Client(), house.olivia)


def names(browser: Client) -> list[str]:
    return [row["name"] for row in browser.get(API).json()["results"]]


def test_a_filter_is_saved_opened_renamed_and_deleted(olivia, house) -> None:
    page = olivia.get(LIST, {"family": "pe"}).content.decode()
    assert f'action="{PAGE}?family=pe"' in page
    assert PAGE not in olivia.get(LIST).content.decode()  # nothing to save

    done = olivia.post(f"{PAGE}?family=pe", {"name": " Doors "}, follow=True)
    assert "Saved as “Doors”." in done.content.decode()
    assert done.request["QUERY_STRING"] == "family=pe"
    assert f'href="{LIST}?family=pe">Doors</a>' in olivia.get(LIST).content.decode()
    kept = SavedFilter.objects.get()
    assert (kept.user, kept.system) == (house.olivia, house.system)

    body = {"name": "Physical", "version": kept.version}
    done = olivia.post(f"{PAGE}{kept.uuid}/rename/", body, follow=True)
    assert "“Doors” is called “Physical” now." in done.content.decode()
    stale = olivia.post(f"{PAGE}{kept.uuid}/rename/", body | {"name": "Other"})
    assert stale.status_code == 409
    assert names(olivia) == ["Physical"]

    done = olivia.post(f"{PAGE}{kept.uuid}/delete/", follow=True)
    assert "“Physical” is deleted." in done.content.decode()
    assert names(olivia) == []


def test_what_cannot_be_saved_is_said(olivia, house) -> None:
    save_filter(house.system, "Doors", {"family": "pe"}, by=house.olivia)
    same = olivia.post(f"{PAGE}?family=ac", {"name": "doors"})
    assert same.status_code == 422
    assert "You have a filter “doors”." in same.content.decode()
    assert f'action="{PAGE}?family=ac"' in same.content.decode()
    none = olivia.post(f"{PAGE}?family=zz", {"name": "None"})
    assert "Filter the list first" in none.content.decode()
    assert olivia.post(f"{PAGE}?family=ac", {"name": " "}).status_code == 422
    for number in range(MAX_SAVED_FILTERS - 1):
        save_filter(house.system, f"{number}", {"q": "AC"}, by=house.olivia)
    full = olivia.post(f"{PAGE}?family=ac", {"name": "One more"})
    assert "You have 20 saved filters in this system." in full.content.decode()
    assert SavedFilter.objects.count() == MAX_SAVED_FILTERS


def test_ac_01_they_are_of_one_person_who_sees_the_system(olivia, house) -> None:
    kept = save_filter(house.system, "Doors", {"family": "pe"}, by=house.olivia)
    alice = sign_in_just_now(Client(), house.alice)
    assert "Doors" not in alice.get(LIST).content.decode()
    assert names(alice) == []
    assert alice.post(f"{PAGE}{kept.uuid}/delete/").status_code == 404
    assert alice.get(f"{API}{kept.uuid}/").status_code == 404
    save_filter(house.system, "Doors", {"family": "pe"}, by=house.alice)
    Membership.objects.filter(user=house.alice).update(ends_at=BEGINS)
    assert not SavedFilter.objects.visible_to(house.alice).exists()
    assert alice.get(PAGE).status_code == 404


def test_over_the_api_the_same(olivia, house) -> None:
    body = {"name": "Open", "filters": {"verdict": "unproven", "sort": "owner"}}
    made = olivia.post(API, body, "application/json")
    assert made.status_code == 201, made.content
    assert made.json()["query"] == "sort=owner&verdict=unproven"
    odd = {"name": "Odd", "filters": {"colour": "red"}}
    refused = olivia.post(API, odd, "application/json")
    assert refused.status_code == 400
    assert "The list has no filter “colour”." in refused.content.decode()
    one = f"{API}{made.json()['uuid']}/"
    assert olivia.patch(one, {"name": "X"}, "application/json").status_code == 428
    as_seen = {"headers": {"If-Match": made["ETag"]}}
    renamed = olivia.patch(one, {"name": "Unproven"}, "application/json", **as_seen)
    assert renamed.json()["name"] == "Unproven"
    assert olivia.delete(one, **as_seen).status_code == 412
    gone = olivia.delete(one, headers={"If-Match": renamed["ETag"]})
    assert (gone.status_code, names(olivia)) == (204, [])
