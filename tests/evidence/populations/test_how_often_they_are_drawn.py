"""R16: the days that a population covers follow the ask's own cadence of populations.

One file: the rule on a day and over a window, and each door through which it is said.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from controls.models import BaselineControl, RetrospectiveChange, Role
from controls.retrospect import approve
from evidence.models import RequirementControl
from evidence.models.confirmed_days import NOT_CONFIRMED
from evidence.populations.event_list import Events
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
)
from evidence.requirements.burden import burden_now
from evidence.reviews.late_recording import late_recording_of
from evidence.status import cadence
from evidence.status.facts import PopulationFacts, RequirementHistory, TermsFacts
from tests.evidence import house as houses
from tests.evidence import per_event
from tests.evidence.house import TODAY, House, file
from tests.evidence.per_event import made_per_event
from tests.evidence.scenarios.past import Past, at, counted, month, quarter
from tests.evidence.scenarios.pure import ask, counts, on_a_day, over, since
from tests.evidence.status.neutral import population_facts, terms_facts

D = dt.date
TURN = D(2026, 7, 1)
DAY = dt.timedelta(days=1)


def populations(
    how_often: str, grace: int, first: dt.date = D.min, last: dt.date = D.max
) -> TermsFacts:
    return terms_facts(
        first,
        last,
        title="Leavers",
        cadence="per-event",
        grace_days=grace,
        population_cadence=how_often,
    )


def drawn(first: dt.date, last: dt.date, on: dt.date) -> PopulationFacts:
    """Nobody left in these days, and somebody said so on a day."""
    return population_facts(
        first, last, rows=0, state="accepted", drawn_on=on, uuid=str(first)
    )


def leavers(terms: list[TermsFacts], *events: PopulationFacts) -> RequirementHistory:
    return ask(terms, since(D(2026, 1, 1)), populations=events)


def days(result: Any) -> tuple[int, int, int]:
    counted_days = result.occurrences.event_days
    return counted_days.covered, counted_days.open, counted_days.not_yet_due


def test_each_month_is_a_period_of_its_own():
    """R16: January to May are shown month by month, and June is open in August."""
    shown = [
        drawn(*month(number), on=month(number)[1] + 3 * DAY) for number in range(1, 6)
    ]
    history = leavers([populations("monthly", 15)], *shown)
    result = over(history, today=D(2026, 7, 20))
    assert counts(result) == (12, 5, 0, 1, 6)
    assert days(result) == (151, 30, 184)
    assert on_a_day(history, D(2026, 7, 5)).customer_half == "proven"
    assert on_a_day(history, D(2026, 7, 6)).customer_half == "expiring"
    assert on_a_day(history, D(2026, 7, 5)).customer_until == D(2026, 7, 15)
    assert on_a_day(history, D(2026, 7, 16)).customer_half == "lapsed"


def test_one_population_of_a_quarter_shows_each_of_its_months_too_late():
    """R14, R16: drawn in April, January's is late where nobody confirms its days."""
    history = leavers(
        [populations("monthly", 15)], drawn(*quarter(1), on=D(2026, 4, 10))
    )
    result = over(history, today=D(2026, 4, 12), window=quarter(1))
    assert counts(result) == (3, 1, 2, 0, 0)


def test_quarterly_becomes_monthly_in_july():
    """R14, R16: two quarters and six months; each population answers its own."""
    terms = [
        populations("quarterly", 30, last=TURN - DAY),
        populations("monthly", 15, first=TURN),
    ]
    shown = [
        drawn(*quarter(1), on=D(2026, 4, 10)),
        drawn(*quarter(2), on=D(2026, 7, 10)),
        drawn(*month(7), on=D(2026, 8, 3)),
    ]
    result = over(leavers(terms, *shown), today=D(2026, 9, 20))
    assert counts(result) == (8, 3, 0, 1, 4)
    assert days(result) == (212, 31, 122)
    before = leavers(terms, *shown[:2])
    assert on_a_day(before, D(2026, 7, 20)).customer_until == D(2026, 8, 15)
    assert on_a_day(before, D(2026, 8, 16)).customer_half == "lapsed"


def test_an_old_population_holds_to_the_end_of_the_first_new_period():
    """R13: not before the new cadence began, whatever the old one had shown."""
    terms = [
        populations("monthly", 15, last=D(2026, 5, 14)),
        populations("quarterly", 30, first=D(2026, 5, 15)),
    ]
    history = leavers(terms, drawn(*month(4), on=D(2026, 5, 3)))
    assert on_a_day(history, D(2026, 5, 14)).customer_until == D(2026, 6, 15)
    assert on_a_day(history, D(2026, 5, 15)).customer_until == D(2026, 7, 30)


def test_days_of_a_period_that_a_change_cut_are_counted_all_the_same():
    """R16: April belongs to no expected period, and its days are open in August."""
    turn = D(2026, 5, 15)
    terms = [
        populations("quarterly", 30, last=turn - DAY),
        populations("monthly", 15, first=turn),
    ]
    window = quarter(2)
    result = over(leavers(terms), today=D(2026, 6, 16), window=window)
    assert counts(result) == (2, 0, 0, 1, 1)
    assert days(result) == (0, 31, 60)  # of May; April is due with its old quarter
    assert days(over(leavers(terms), today=D(2026, 7, 31), window=window))[1] == 91


@pytest.mark.parametrize(
    ("how_often", "default", "longest"),
    [("weekly", 3, 3), ("monthly", 15, 15), ("quarterly", 30, 45)],
)
def test_grace_is_at_most_half_of_its_period(how_often, default, longest):
    """R12, R16: thirty days, or half the period where that is less."""
    assert cadence.default_grace("per-event", how_often) == default
    assert cadence.longest_grace("per-event", how_often) == longest


# --- through models, pages and the API ---------------------------------------------


@pytest.fixture
def house(db: None, settings: Any, tmp_path: Path) -> House:
    return per_event.build(settings, tmp_path)


@pytest.fixture
def asked(house: House) -> RequirementControl:
    """CM-8, per event, quarterly with ten days of grace, since the window began."""
    row = made_per_event(house)
    row.operates_from = house.system.window_start or TODAY
    row.save(update_fields=["operates_from"])
    return row


def stated(**more: Any) -> dict[str, Any]:
    return {
        "title": "Changes approved",
        "cadence": "per-event",
        "purpose": "operation",
        "operates_from": "2026-01-01",
        "rarer_because": "Two hosts",
    } | more


@pytest.mark.django_db(transaction=True)
def test_the_api_asks_for_monthly_populations_and_counts_them(
    client, as_owner, settings
):
    """R16: added by POST, judged month by month, changed from a day on by PUT."""
    settings.MFA_REQUIRED = False
    with as_owner():
        past = Past.described(D(2026, 1, 1))
    browser = past.browser(client)
    body = stated(system=past.system.slug, control_id="ac-4")
    answer = browser.post(
        "/api/v1/requirements/",
        body | {"population_cadence": "monthly"},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    assert answer.json()["population_cadence"] == "monthly"
    assert answer.json()["grace_days"] == 15
    row = RequirementControl.objects.get(uuid=answer.json()["uuid"])
    with as_owner():
        for number in (1, 2):
            last = month(number)[1]
            statement = PopulationStatement(
                "HR", "left = yes", *month(number), "Totals agree", none_happened=True
            )
            with at(last + 2 * DAY):
                population = submit_population(
                    row, statement, Events(), by=past.alice, today=last + 2 * DAY
                )
                decide_population(
                    population, accept=True, by=past.rita, day=NOT_CONFIRMED
                )
    told = past.told(browser, "ac-4", D(2026, 4, 20))
    assert counted(told) == [12, 2, 0, 1, 9]
    assert told["customer_half"] == "lapsed"
    page = browser.get(f"/systems/{past.system.slug}/controls/ac-4/").content.decode()
    assert "Populations are drawn monthly." in page
    url = f"/api/v1/requirements/{row.uuid}/"
    changed = browser.put(
        url,
        stated(population_cadence="weekly", from_day=str(TODAY)),
        content_type="application/json",
        headers={"If-Match": browser.get(url)["ETag"]},
    )
    assert changed.status_code == 200, changed.content
    of_days = [
        (terms["first_day"], terms["population_cadence"], terms["grace_days"])
        for terms in changed.json()["terms"]
    ]
    assert of_days == [(None, "monthly", 15), (str(TODAY), "weekly", 3)]


def test_the_page_changes_it_and_for_an_earlier_day_asks_a_second_officer(
    client, house, asked
):
    """R31: from today by one officer; of days that lie back two decide."""
    url = reverse("evidence:requirement_edit", args=["shop", asked.uuid])
    body = stated(
        grace_days=10,
        population_cadence="monthly",
        operates_from=str(asked.operates_from),
        version=asked.version,
    )
    second = houses.person("second")
    house.people["second"] = second
    houses.give(house, "second", Role.OFFICER)
    client.force_login(house.olivia)
    assert "Populations are drawn" in client.get(url).content.decode()
    answer = client.post(url, body | {"from_day": "2026-07-01", "reason": "Was so"})
    assert answer.status_code == 302, answer.content.decode()
    waiting = RetrospectiveChange.objects.get()
    assert asked.ask.terms.get().population_cadence == "quarterly"
    page = client.get(f"/changes-in-retrospect/{waiting.uuid}/", follow=True)
    assert "Monthly" in page.content.decode()
    approve(waiting, by=second, today=TODAY)
    cadences = asked.ask.terms.order_by("days").values_list("population_cadence")
    assert [name for (name,) in cadences] == ["quarterly", "monthly"]
    asked.refresh_from_db()
    assert asked.population_cadence == "monthly"
    text = " ".join(client.get(url).content.decode().split())
    assert "per event (populations monthly) with 10 days of grace" in text


def test_rarer_than_the_baseline_and_than_quarterly_needs_a_reason(
    client, house, asked
):
    """R18: CM-8 is monthly by its baseline; half a year of changes is rarer."""
    BaselineControl.objects.filter(control__ref_id="cm-8").update(
        parameters={"cm-08_odp.02": "at least monthly"}
    )
    client.force_login(house.olivia)
    url = f"/api/v1/requirements/{asked.uuid}/"
    headers = {"If-Match": client.get(url)["ETag"]}
    body = stated(population_cadence="half-yearly", rarer_because="")
    answer = client.put(url, body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert "Say why less often will do" in str(answer.json())
    body = stated(population_cadence="yearly")
    answer = client.put(url, body, content_type="application/json", headers=headers)
    assert answer.status_code == 400


def test_what_was_asked_monthly_is_not_asked_quarterly_per_event(client, house):
    """R18: CM-8 is monthly by its baseline; per event, of a quarter, is rarer."""
    BaselineControl.objects.filter(control__ref_id="cm-8").update(
        parameters={"cm-08_odp.02": "at least monthly"}
    )
    monthly = house.requirement()
    assert monthly.cadence == "monthly"
    client.force_login(house.olivia)
    url = f"/api/v1/requirements/{monthly.uuid}/"
    headers = {"If-Match": client.get(url)["ETag"]}
    for often, status in (("quarterly", 400), ("monthly", 200)):
        body = stated(population_cadence=often, rarer_because="")
        body["operates_from"] = str(monthly.operates_from)
        answer = client.put(url, body, content_type="application/json", headers=headers)
        assert answer.status_code == status, answer.content
        assert ("Say why less often will do" in str(answer.json())) == (status == 400)


def test_a_body_without_a_cadence_of_populations_leaves_it_as_it_is(
    client, house, asked
):
    """R16: a script that only says another title makes no population rarer."""
    client.force_login(house.olivia)
    url = f"/api/v1/requirements/{asked.uuid}/"
    said = {"operates_from": str(asked.operates_from)}
    for more in ({"population_cadence": "monthly"}, {"title": "Approved changes"}):
        answer = client.put(
            url,
            stated(**said) | more,
            content_type="application/json",
            headers={"If-Match": client.get(url)["ETag"]},
        )
        assert answer.status_code == 200, answer.content
        assert answer.json()["population_cadence"] == "monthly"
    assert answer.json()["title"] == "Approved changes"


def test_long_grace_of_a_month_waits_for_a_second_officer(client, house, asked):
    """R12: half of the month that a population covers."""
    client.force_login(house.olivia)
    url = f"/api/v1/requirements/{asked.uuid}/"
    answer = client.put(
        url,
        stated(
            population_cadence="monthly",
            grace_days=16,
            operates_from=str(asked.operates_from),
            reason="Slow export",
        ),
        content_type="application/json",
        headers={"If-Match": client.get(url)["ETag"]},
    )
    assert (answer.status_code, answer.json().get("kind")) == (202, "long-grace")


def test_how_late_it_was_drawn_follows_the_month_it_speaks_of(client, house, asked):
    """R14, R16: October was due on 10 November."""
    per_event.set_terms(
        RequirementControl.objects.filter(pk=asked.pk), population_cadence="monthly"
    )
    client.force_login(house.alice)
    listed = file("c.csv", b"key,day\nCHG-1,2026-10-02\n")
    population = per_event.bring(
        client, asked, list=listed, starts=D(2026, 10, 1), ends=D(2026, 10, 31)
    )
    recording = late_recording_of(population)
    assert recording and recording.due_on == D(2026, 11, 10)


def test_the_form_offers_the_oldest_days_without_a_population(client, house, asked):
    """R14, R16: to the end of their period; nothing while that lasts."""
    form_url = per_event.url(asked)
    client.force_login(house.alice)
    first = asked.operates_from
    ends = quarter((first.month + 2) // 3, first.year)[1]
    offered = client.get(form_url).context["form"].initial
    assert offered == {"starts": first, "ends": ends}
    per_event.bring(
        client,
        asked,
        list=file("c.csv", b"key,day\nCHG-1,2026-07-02\n"),
        starts=first,
        ends=D(2026, 9, 30),
    )
    assert client.get(form_url).context["form"].initial == {}
    per_event.set_terms(
        RequirementControl.objects.filter(pk=asked.pk), population_cadence="monthly"
    )
    offered = client.get(form_url).context["form"].initial
    assert offered == {"starts": D(2026, 10, 1), "ends": D(2026, 10, 31)}


def test_what_a_year_of_it_costs(house, asked):
    """R11: monthly populations are twelve performances, quarterly ones four."""
    quarterly = burden_now(house.system, TODAY).uploads
    per_event.set_terms(
        RequirementControl.objects.filter(pk=asked.pk), population_cadence="monthly"
    )
    assert burden_now(house.system, TODAY).uploads == quarterly + 8


def test_what_if_counts_populations_of_a_year(client, house, asked):
    """R11, R16: beside the page of asks, the page of supposed services too."""
    client.force_login(house.olivia)
    year = burden_now(house.system, TODAY)
    url = reverse("evidence:what_if", args=[house.system.slug])
    page = client.get(url, {"end": "ec2:standard"})
    assert (page.status_code, page.context["work_now"]) == (200, year)
