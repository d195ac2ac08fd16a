"""R11, R31, R32: no officer alone lets unasked days vanish by asking little of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import join
from tests import factories
from tests.evidence.scenarios.past import Past, counted, month

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
DESCRIBED, YEAR_END = D(2026, 8, 20), D(2027, 2, 1)
CONTROL = "at-2"
LESS = "Nothing was asked on that day, and this is less than “Patch report”"


@pytest.fixture
def past(as_owner) -> Past:
    """Asked monthly since August, all on time; 231 days of the window before that."""
    with as_owner():
        past = Past.described(DESCRIBED)
        terms = {"cadence": "monthly", "grace_days": 5, "operates_from": DESCRIBED}
        asked = past.ask(CONTROL, "Patch report", **terms)
        for number in range(8, 11):
            last = month(number)[1]
            past.performed(asked, about=month(number), on=last, accepted=last)
    return past


def add(browser: Client, past: Past, **terms: Any) -> Any:
    body = {"system": past.system.slug, "control_id": CONTROL, "title": "Look"}
    body |= {"operates_from": "2026-01-01", "purpose": "operation"} | terms
    url = "/api/v1/requirements/"
    return browser.post(url, body, content_type="application/json")


@pytest.mark.parametrize(
    "terms",
    [
        {"cadence": "once"},
        {"cadence": "yearly"},
        {"cadence": "quarterly"},
        {"cadence": "monthly", "purpose": "design"},
        {"cadence": "per-event"},
    ],
)
def test_one_officer_asks_no_less_of_days_that_nothing_was_asked_of(
    past, client, terms
):
    browser = past.browser(client)
    answer = add(browser, past, **terms)
    assert answer.status_code == 400, answer.content
    assert LESS in answer.content.decode()
    told = past.told(browser, CONTROL, YEAR_END)
    assert told["period"]["unasked_days"] == 231
    # from today on, or on days that something was asked of, one officer decides
    assert add(browser, past, operates_from="2026-11-23", **terms).status_code == 201
    assert add(browser, past, operates_from="2026-08-20", **terms).status_code == 201
    assert past.told(browser, CONTROL, YEAR_END)["period"]["unasked_days"] == 231


def test_what_is_asked_as_often_is_missed_on_the_earlier_days(past, client):
    browser = past.browser(client)
    assert add(browser, past, cadence="monthly").status_code == 201
    told = past.told(browser, CONTROL, YEAR_END)
    assert told["period"]["unasked_days"] == 0
    assert counted(told)[3] >= 7  # January to July at least
    assert told["period"]["result"] == "exceptions"


def test_the_form_says_the_same(past, client):
    browser = past.browser(client)
    url = f"/systems/{past.system.slug}/controls/{CONTROL}/requirements/new/"
    typed = {"title": "Look", "cadence": "once", "purpose": "operation"}
    typed |= {"operates_from": "2026-01-01", "population_cadence": "quarterly"}
    page = browser.post(url, typed)
    assert page.status_code == 422
    assert LESS in page.content.decode()


def test_where_nothing_was_asked_at_all_once_is_too_little(past, client):
    browser = past.browser(client)
    refused = add(browser, past, control_id="cm-2", cadence="once")
    assert "answers for no day on which nothing was asked" in refused.content.decode()
    assert add(browser, past, control_id="cm-2", cadence="yearly").status_code == 201


def test_no_rarer_ask_names_a_control_on_such_days(past, client, as_owner):
    """It joins a quarterly ask from today on, not from January."""
    begun = D(2026, 1, 5)
    with as_owner():
        terms = {"cadence": "quarterly", "operates_from": factories.START}
        rows = [past.ask(ref_id, "Look", **terms) for ref_id in ("ac-1", "cm-2")]
        lines = [NamedControl(row.uuid, f"Its part {row.pk}") for row in rows]
        joined = AskTerms(title="Look", cadence="quarterly", purpose="operation")
        ask = join(
            past.system, joined, lines, from_day=begun, by=past.oscar, today=begun
        )
    browser = past.browser(client)
    body = {"control_id": CONTROL, "what_it_shows": "Its part"}
    for day, status in ((str(begun), 400), ("2026-11-23", 201)):
        answer = browser.post(
            f"/api/v1/asks/{ask.uuid}/controls/",
            body | {"from_day": day},
            content_type="application/json",
        )
        assert answer.status_code == status, answer.content
        assert (LESS in answer.content.decode()) is (status == 400)
