"""Sign-off scenario 16 through models and API: late recording, and a first window."""

from __future__ import annotations

import datetime as dt

import pytest

from evidence.models.confirmed_days import NOT_CONFIRMED
from tests.evidence.scenarios.past import TICKET, Past, counted, month

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
CONTROL = "ac-4"  # ours alone
YEAR_END = D(2027, 2, 1)


@pytest.fixture(autouse=True)
def _no_second_factor(settings, tmp_path):
    settings.MFA_REQUIRED = False
    settings.EVIDENCE_STORE = str(tmp_path)


def patches(as_owner, *, day=TICKET) -> Past:
    """January to July on time; August brought in October; September in November."""
    with as_owner():
        past = Past.described(D(2026, 1, 1))
        asked = past.ask(
            CONTROL,
            "Patch report",
            cadence="monthly",
            grace_days=5,
            operates_from=D(2026, 1, 1),
        )
        for number in range(1, 8):
            last = month(number)[1]
            past.performed(asked, about=month(number), on=last, accepted=last)
        past.performed(
            asked,
            about=month(8),
            on=D(2026, 9, 3),
            uploaded=D(2026, 10, 20),
            accepted=D(2026, 10, 22),
            day=day,
        )
        past.performed(
            asked, about=month(10), on=D(2026, 11, 4), accepted=D(2026, 11, 6)
        )
        past.performed(
            asked,
            about=month(9),
            on=D(2026, 11, 19),
            uploaded=D(2026, 11, 20),
            accepted=D(2026, 11, 23),
        )
    return past


def test_a_confirmed_day_is_on_time_and_says_how_late_it_was_recorded(as_owner, client):
    """R13, R14: to the numbers of the scenario, on both clocks."""
    past = patches(as_owner)
    browser = past.browser(client)
    answer = past.told(browser, CONTROL, D(2026, 11, 25))
    assert counted(answer) == [12, 9, 1, 0, 2]
    assert (answer["customer_half"], answer["verdict"]) == ("proven", "proven")
    assert past.told(browser, CONTROL, D(2026, 12, 5))["customer_half"] == "expiring"
    assert past.told(browser, CONTROL, D(2026, 12, 6))["customer_half"] == "lapsed"
    then = past.told(browser, CONTROL, D(2026, 9, 20), D(2026, 9, 20))
    assert then["customer_half"] == "lapsed"
    due = [r["subject"] for r in then["reasons"] if r["code"] == "overdue"]
    assert due == ["Patch report, August 2026"]
    assert past.told(browser, CONTROL, D(2026, 9, 20))["customer_half"] == "proven"
    assert past.told(browser, CONTROL, D(2026, 10, 5))["customer_half"] == "expiring"
    assert past.told(browser, CONTROL, D(2026, 10, 6))["customer_half"] == "lapsed"
    page = browser.get(
        f"/systems/{past.system.slug}/controls/{CONTROL}/", {"on": "2026-11-25"}
    )
    assert "recorded 45 days after its due day" in page.content.decode()


def test_a_day_that_nobody_confirmed_is_late_as_of_the_upload(as_owner, client):
    """R14: eight on time, two late, and lapsed in September whatever is known."""
    past = patches(as_owner, day=NOT_CONFIRMED)
    browser = past.browser(client)
    assert counted(past.told(browser, CONTROL, D(2026, 11, 25))) == [12, 8, 2, 0, 2]
    answer = past.told(browser, CONTROL, D(2026, 9, 20))
    assert answer["customer_half"] == "lapsed"


def test_the_first_window_of_a_system_described_in_august(as_owner, client):
    """R11, R15: unasked days make it exceptions; begun that day it is complete."""
    described = D(2026, 8, 20)
    with as_owner():
        past = Past.described(described)
        asked = past.ask(
            CONTROL,
            "Patch report",
            cadence="monthly",
            grace_days=5,
            operates_from=described,
        )
        for number in range(8, 13):
            last = month(number)[1]
            past.performed(asked, about=month(number), on=last, accepted=last)
    browser = past.browser(client)
    answer = past.told(browser, CONTROL, YEAR_END)
    assert counted(answer) == [5, 5, 0, 0, 0]
    assert answer["period"]["result"] == "exceptions"
    page = browser.get(
        f"/systems/{past.system.slug}/controls/{CONTROL}/", {"on": str(YEAR_END)}
    )
    text = page.content.decode()
    assert "Nothing was asked on 231 days of the window: asked from 2026-08-20" in text
    window = (described, D(2026, 12, 31))
    assert past.rows(browser, CONTROL, YEAR_END, window)["result"] == "complete"
