"""Sign-off scenario 12 through models and API: days of not applicable."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.applicability import decide_not_applicable, request_not_applicable
from controls.early_ends import decide_end, request_end
from controls.history.clock import clock_at
from controls.models import ApplicabilityDecision, Role, System, User
from evidence.models import RequirementControl
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from evidence.status.window import Period
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring, told

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
CONTROL = "ac-4"
MONTHS = (1, 2, 3, 4, 10, 11, 12)
LATER = D(2027, 2, 1)


@contextmanager
def on(day: dt.date, hour: int = 12) -> Iterator[None]:
    """Inside, what the owner role writes is known since that hour (UTC)."""
    with clock_at(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)):
        yield


def month(number: int) -> tuple[dt.date, dt.date]:
    last = calendar.monthrange(2026, number)[1]
    return D(2026, number, 1), D(2026, number, last)


def perform(
    asked: RequirementControl, about: tuple[dt.date, dt.date], by: str = "alice"
) -> None:
    """On the period's last day, accepted the same day."""
    rita = User.objects.get(email="rita@example.com")
    with on(about[1]):
        person = User.objects.get(email=f"{by}@example.com")
        bring(asked, about=about, performed_on=about[1], by=person).accept(by=rita)


def leave_out(system: System, asked_on: D, approved_on: D, ended_on: D) -> None:
    """Requested from that day on, approved and ended by two persons."""
    oscar = User.objects.get(email="oscar@example.com")
    olga = User.objects.get(email="olga@example.com")
    control = factories.implementation(system, CONTROL)
    review_by = asked_on + dt.timedelta(days=365)
    with on(asked_on):
        request = request_not_applicable(
            control, justification="Nothing flows here.", review_by=review_by, by=oscar
        )
    with on(approved_on):
        decide_not_applicable(request, approve=True, by=olga)
    with on(ended_on, 9):
        end = request_end(request, reason="It flows again.", by=oscar)
    with on(ended_on, 10):
        decide_end(end, approve=True, by=olga)


@pytest.fixture
def described(as_owner: Callable[[], Any]) -> System:
    """Two asks of a customer control, monthly and quarterly."""
    with as_owner(), on(factories.START):
        oscar = factories.make_user("oscar")
        alice, rita = factories.make_user("alice"), factories.make_user("rita")
        found = factories.make_system(oscar)
        factories.give_role(factories.make_user("olga"), found, Role.OFFICER)
        team = factories.make_team()
        factories.give_role(alice, found, Role.CONTRIBUTOR, team=team)
        factories.give_role(rita, found, Role.REVIEWER)
    return found


@pytest.fixture
def left_out(described: System, as_owner: Callable[[], Any]) -> System:
    """Not applicable from 12 May to 24 September."""
    with as_owner():
        with on(factories.START):
            monthly = ask_only(
                described, CONTROL, "Flows", cadence="monthly", grace_days=5
            )
            quarterly = factories.ask_for(
                factories.implementation(described, CONTROL),
                "Rules",
                cadence="quarterly",
                grace_days=14,
                operates_from=factories.START,
                owner_team=monthly.owner_team,
            )
        for number in MONTHS[:3]:
            perform(monthly, month(number))
        perform(quarterly, (D(2026, 1, 1), D(2026, 3, 31)))
        perform(monthly, month(4))
        leave_out(described, D(2026, 5, 12), D(2026, 5, 20), D(2026, 9, 25))
        for number in MONTHS[4:]:
            perform(monthly, month(number))
        perform(quarterly, (D(2026, 10, 1), D(2026, 12, 31)))
    return described


def over_the_year(system: System) -> Period:
    pk = factories.implementation(system, CONTROL).pk
    window = (factories.START, factories.END)
    (answer,) = control_statuses(system, Moment(LATER), pks=[pk], window=window)
    assert answer.period is not None
    return answer.period


def outcomes(period: Period, title: str) -> dict[str, list[dt.date]]:
    """Last days of the periods of one ask, by what became of them."""
    found: dict[str, list[dt.date]] = {}
    for row in period.occurrences.results:
        if row.title == title:
            found.setdefault(row.outcome, []).append(row.ends)
    return found


def test_over_the_year_monthly_and_quarterly(left_out):
    """R10, R14: monthly expected 8, on time 7, missed September, May cut short (11 of
    31 days); quarterly expected 3, on time 2, missed Q3, Q2 cut short (41 of 91)."""
    period = over_the_year(left_out)
    monthly, quarterly = outcomes(period, "Flows"), outcomes(period, "Rules")
    assert monthly["on_time"] == [month(number)[1] for number in MONTHS]
    assert monthly["missed"] == [D(2026, 9, 30)]
    assert monthly["cut_short"] == [D(2026, 5, 31)]
    assert quarterly["on_time"] == [D(2026, 3, 31), D(2026, 12, 31)]
    assert quarterly["missed"] == [D(2026, 9, 30)]
    assert quarterly["cut_short"] == [D(2026, 6, 30)]
    cut = {
        row.title: (row.asked_days, row.days)
        for row in period.occurrences.results
        if row.outcome == "cut_short"
    }
    assert cut == {"Flows": (11, 31), "Rules": (41, 91)}
    assert period.occurrences.expected == 8 + 3
    assert period.result == "exceptions"


@pytest.mark.parametrize(
    ("day", "known_at", "verdict", "half"),
    [
        (D(2026, 5, 11), None, "proven", "proven"),
        (D(2026, 5, 15), D(2026, 5, 19), "proven", "proven"),
        (D(2026, 5, 15), D(2026, 5, 20), "not_applicable", "not_required"),
        (D(2026, 5, 15), None, "not_applicable", "not_required"),
        (D(2026, 7, 1), None, "not_applicable", "not_required"),
        (D(2026, 9, 24), None, "not_applicable", "not_required"),
        (D(2026, 9, 24), D(2026, 9, 24), "not_applicable", "not_required"),
        (D(2026, 9, 25), None, "unproven", "lapsed"),
    ],
)
def test_it_holds_for_its_days_only(
    left_out, client: Client, settings, day, known_at, verdict, half
):
    """R10, R31: approved on 20 May it holds from 12 May, known from the approval; its
    days stay not applicable with today's knowledge after it has ended."""
    settings.MFA_REQUIRED = False
    client.force_login(User.objects.get(email="oscar@example.com"))
    answer = told(client, left_out, CONTROL, day, known_at)
    assert (answer["verdict"], answer["customer_half"]) == (verdict, half)
    said = "not-applicable" if verdict == "not_applicable" else "applicable"
    requested = known_at == D(2026, 5, 19)
    assert answer["applicability"] == ("na-requested" if requested else said)


def test_the_page_shows_its_days_inclusive(left_out, client: Client, settings):
    """R10: from its first day to its last."""
    settings.MFA_REQUIRED = False
    client.force_login(User.objects.get(email="oscar@example.com"))
    url = reverse("evidence:control", args=[left_out.slug, CONTROL])
    page = " ".join(client.get(url).content.decode().split())
    assert "Not applicable from 2026-05-12 to 2026-09-24" in page


def test_two_days_interrupt_nothing(described, as_owner):
    """R14: a break of 31 May and 1 June is shorter than a month: twelve expected."""
    with as_owner():
        with on(factories.START):
            ask_only(described, CONTROL, "Flows", cadence="monthly", grace_days=5)
        leave_out(described, D(2026, 5, 31), D(2026, 5, 31), D(2026, 6, 2))
    found = ApplicabilityDecision.objects.get()
    assert (found.starts_on, found.ended_on) == (D(2026, 5, 31), D(2026, 6, 2))
    period = over_the_year(described)
    assert period.occurrences.expected == 12
    assert "cut_short" not in outcomes(period, "Flows")


def test_a_yearly_ask_is_expected_once(described, as_owner):
    """R14: the break is shorter than a year."""
    with as_owner():
        with on(factories.START):
            ask_only(described, CONTROL, "Flows", cadence="yearly", grace_days=30)
        leave_out(described, D(2026, 5, 12), D(2026, 5, 20), D(2026, 9, 25))
    assert over_the_year(described).occurrences.expected == 1
