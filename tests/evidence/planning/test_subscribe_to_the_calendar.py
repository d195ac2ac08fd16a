"""What falls due in one's own calendar program, by an address with its own token."""

from __future__ import annotations

import datetime as dt
import logging
import re
from pathlib import Path

import pytest
from django.test import Client
from icalendar import Calendar

from controls.models import Membership, TokenScope, User
from evidence.planning import feed
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
PAGE = "/accounts/tokens/"
FEED = re.compile(r"/accounts/calendar/[0-9a-f]{64}/srm\.ics")


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.requirement()
    return built


def subscribe(user: User) -> str:
    """The address of a new feed."""
    browser = sign_in_just_now(Client(), user)
    body = {"name": "my calendar", "scope": "calendar", "days": "365"}
    found = FEED.search(browser.post(PAGE, body).content.decode())
    assert found
    return found[0]


def test_a_calendar_program_reads_what_falls_due(house: House) -> None:
    answer = Client().get(subscribe(house.alice))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/calendar")
    entries = Calendar.from_ical(answer.content).walk("VEVENT")
    assert entries
    mine = [entry for entry in entries if "CM-8" in str(entry["summary"])]
    assert mine
    assert all("/systems/shop/" in str(entry["url"]) for entry in mine)
    assert len({str(entry["uid"]) for entry in entries}) == len(entries)


def test_the_entries_keep_their_names_from_day_to_day(house: House) -> None:
    """A program that asks again moves no entry and doubles none."""
    address = subscribe(house.alice)
    names = [
        {str(e["uid"]) for e in Calendar.from_ical(Client().get(address).content).walk(
            "VEVENT")}
        for _ in range(2)
    ]  # fmt: skip
    assert names[0] == names[1]


def test_the_token_opens_nothing_else(house: House) -> None:
    """AZ-07: and a token of the API is no calendar."""
    secret = subscribe(house.alice).split("/")[3]
    headers = {"Authorization": f"Token {secret}"}
    for path in ("/api/v1/systems/", "/api/v1/evidence/"):
        assert Client().get(path, headers=headers).status_code == 401
    browser = sign_in_just_now(Client(), house.alice)
    body = {"name": "script", "scope": "read", "days": "5"}
    found = re.search(
        r"Token ([0-9a-f]{64})", browser.post(PAGE, body).content.decode()
    )
    assert found
    assert Client().get(f"/accounts/calendar/{found[1]}/srm.ics").status_code == 404


def test_it_ends_with_the_token_the_role_and_the_account(house: House) -> None:
    address = subscribe(house.alice)
    Membership.objects.filter(user=house.alice).update(ends_at=houses.BEGINS)
    answer = Client().get(address)
    assert Calendar.from_ical(answer.content).walk("VEVENT") == []
    house.alice.is_active = False
    house.alice.save(update_fields=["is_active"])
    assert Client().get(address).status_code == 404
    other = subscribe(house.olivia)
    TokenScope.objects.get(token__user=house.olivia).token.delete()
    assert Client().get(other).status_code == 404
    assert Client().get("/accounts/calendar/x/srm.ics").status_code == 404


def test_an_auditor_reads_on_pages_where_it_is_recorded(house: House) -> None:
    """AC-06."""
    answer = Client().get(subscribe(house.audrey))
    assert Calendar.from_ical(answer.content).walk("VEVENT") == []


def test_without_a_second_factor_where_it_is_required_it_is_shut(
    house: House, settings
) -> None:
    """AZ-07."""
    address = subscribe(house.alice)
    settings.MFA_REQUIRED = True
    assert Client().get(address).status_code == 404


def test_no_log_holds_the_secret(house: House, caplog) -> None:
    address = subscribe(house.alice)
    with caplog.at_level(logging.INFO):
        Client().get(address)
    assert address.split("/")[3] not in caplog.text
    assert "GET /accounts/calendar/... 200" in caplog.text


def test_of_very_many_entries_the_next_two_months_are_made(
    house: House, monkeypatch
) -> None:
    address = subscribe(house.alice)
    whole = Calendar.from_ical(Client().get(address).content)
    days = sorted(entry["dtstart"].dt for entry in whole.walk("VEVENT"))
    assert (days[-1] - days[0]).days > 200
    assert days[0] < TODAY
    assert "x-wr-caldesc" not in whole
    read: list[tuple[dt.date, dt.date]] = []
    falling_due = feed.falling_due

    def counted(scope, **more):
        read.append((scope.first, scope.last))
        return falling_due(scope, **more)

    monkeypatch.setattr(feed, "falling_due", counted)
    monkeypatch.setattr(feed, "MAX_ENTRIES", 2)
    fewer = Calendar.from_ical(Client().get(address).content)
    coming = [day for day in days if day >= TODAY]
    assert [entry["dtstart"].dt for entry in fewer.walk("VEVENT")] == coming[:2]
    assert str(fewer["x-wr-caldesc"]) == "2 entries of more, the next two months first."
    assert all((last - first).days < 63 for first, last in read)
