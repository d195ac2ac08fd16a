"""A calendar of what falls due, for a system and for the teams of one person."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls import clock
from controls.applicability import decide_not_applicable, request_not_applicable
from controls.models import Role
from controls.responsibility.overrides import decide_override, request_override
from evidence.models import RequirementControl
from evidence.planning.calendar import CalendarScope, falling_due
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.status.cadence import due_on
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, person, submitted

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
THIS_MONTH = TODAY.replace(day=1)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    found.requirement()
    found.people["otto"] = person("otto")
    give(found, "otto", Role.OFFICER)
    return found


def due(house: House, name: str = "olivia", *, days: int = 120, **more: object):
    asked = CalendarScope(TODAY - DAY * 60, TODAY + DAY * days, [house.system], **more)
    return falling_due(asked, user=house.people[name], now=clock.now())


def test_monthly_proof_falls_due_each_month_and_says_how_it_stands(house):
    submitted(house).accept(by=house.rita)
    mine = {each.day: each.word for each in due(house) if each.control == "CM-8"}
    this = due_on("monthly", THIS_MONTH, 10)
    before = due_on("monthly", (THIS_MONTH - DAY).replace(day=1), 10)
    assert mine[this] == "Done"
    assert mine[before] == ("Overdue" if before < TODAY else "Due")
    assert sum(word == "Due" for word in mine.values()) >= 2


def test_what_waits_for_review_is_said(house):
    submitted(house)
    this = due_on("monthly", THIS_MONTH, 10)
    words = [e.word for e in due(house) if (e.day, e.control) == (this, "CM-8")]
    assert words == ["Waiting for review"]


def test_an_ended_requirement_is_due_no_more(house):
    RequirementControl.objects.filter(cadence="monthly").update(
        operates_until=THIS_MONTH
    )
    days = [each.day for each in due(house) if each.control == "CM-8"]
    assert days
    assert max(days) < due_on("monthly", THIS_MONTH, 10)


def test_reports_overrides_exclusions_requests_and_the_window_are_among_it(house):
    taken = {each.day for each in due(house, days=99)}  # proof of months, by date
    ends = next(day for n in range(9, 30) if (day := TODAY + DAY * n) not in taken)
    report = factories.make_artifact(house.olivia, ["pe-3"])
    factories.make_report(report, TODAY - DAY * 300, ends)
    held = request_override(
        factories.implementation(house.system, "si-2"),
        responsibility="customer",
        reason="Ours",
        citation="Letter",
        starts_on=TODAY,
        ends_on=ends,
        by=house.olivia,
    )
    decide_override(held, approve=True, by=house.otto)
    out = request_not_applicable(
        factories.implementation(house.system, "cm-8"),
        justification="Nothing here",
        review_by=ends,
        by=house.olivia,
    )
    decide_not_applicable(out, approve=True, by=house.otto)
    wish = RequestDraft("Tickets", ["ac-1"], house.team, ends)
    request_evidence(house.system, wish, by=house.olivia)
    kinds = {each.kind for each in due(house, days=99) if each.day == ends}
    assert kinds == {"AWS report", "Override", "Not applicable", "Request"}
    current = {e.word for e in due(house, days=120) if e.kind == "AWS report"}
    assert current == {"Ends", "Counts as current to this day"}
    assert [e.day for e in due(house, days=60) if e.kind == "Audit window"] == [
        house.system.window_end
    ]


def test_the_end_of_a_window_leads_where_every_reader_may_go(client, house):
    """The calendar is read by auditors and reviewers too."""
    (ends,) = [e for e in due(house, days=60) if e.kind == "Audit window"]
    for reader in (house.olivia, house.rita, house.audrey):
        client.force_login(reader)
        assert client.get(ends.path).status_code == 200


def test_a_team_sees_its_own(client, house):
    mine = due(house, "alice", teams=frozenset([house.team.pk]))
    assert {each.kind for each in mine} == {"Proof"}
    assert due(house, "bob", teams=frozenset([house.other_team.pk])) == []
    client.force_login(house.bob)
    assert "Nothing falls due" in client.get("/calendar/").content.decode()
    client.force_login(house.alice)
    month = due_on("monthly", THIS_MONTH, 10)
    page = client.get(f"/calendar/?month={month:%Y-%m}").content.decode()
    assert "for my teams" in page
    assert f'id="d{month}"' in page


def test_of_a_crowded_day_the_first_are_listed_and_the_rest_on_asking(
    client, house, monkeypatch
):
    client.force_login(house.alice)
    monkeypatch.setattr("evidence.views.calendar.LISTED", 0)
    day = due_on("monthly", THIS_MONTH, 10)
    page = client.get(f"/calendar/?month={day:%Y-%m}").content.decode()
    assert "Not listed here: 1." in page
    assert f'href="?month={day:%Y-%m}&amp;day={day}#d{day}"' in page
    assert "/upload/" not in page
    page = client.get(f"/calendar/?month={day:%Y-%m}&day={day}").content.decode()
    assert f"day={day}#d{day}" not in page
    assert "/upload/" in page


def test_months_are_paged_and_nonsense_means_this_month(client, house):
    client.force_login(house.olivia)
    page = client.get("/systems/shop/calendar/?month=2024-02")
    assert page.context["month"].last == dt.date(2024, 2, 29)
    assert (page.context["month"].before, page.context["month"].after) == (
        "2024-01",
        "2024-03",
    )
    for text in ("2024-13", "soon", "9999-12", ""):
        page = client.get("/systems/shop/calendar/", {"month": text})
        assert page.context["month"].first == THIS_MONTH
    page = client.get("/systems/shop/calendar/?team=data")
    assert page.status_code == 200


@pytest.mark.parametrize("path", ["/calendar/", "/systems/shop/calendar/"])
@pytest.mark.parametrize(
    ("month", "first", "before", "after"),
    [
        ("1990-01", dt.date(1990, 1, 1), "", "1990-02"),
        ("2200-12", dt.date(2200, 12, 1), "2200-11", ""),
        ("1989-12", THIS_MONTH, None, None),
        ("2201-01", THIS_MONTH, None, None),
    ],
)
def test_no_month_outside_the_calendar_is_linked(
    client, house, path, month, first, before, after
):
    client.force_login(house.olivia)
    page = client.get(path, {"month": month})
    assert page.status_code == 200
    assert page.context["month"].first == first
    if before is not None:
        shown = page.content.decode()
        assert ('rel="prev"' in shown, 'rel="next"' in shown) == (
            bool(before),
            bool(after),
        )
        assert "?month=1989" not in shown and "?month=2201" not in shown


def test_outsiders_find_no_calendar(client, house):
    client.force_login(house.mallory)
    assert client.get("/systems/shop/calendar/").status_code == 404
    assert client.get("/api/v1/systems/shop/calendar/").status_code == 404
    assert "Nothing falls due" in client.get("/calendar/").content.decode()


def test_the_api_lists_by_day_and_refuses_too_much(client, house):
    client.force_login(house.ray)
    path = "/api/v1/systems/shop/calendar/"
    rows = client.get(path, {"from": TODAY, "to": TODAY + DAY * 60}).json()
    assert [row["day"] for row in rows] == sorted(row["day"] for row in rows)
    assert rows[0]["url"].startswith("http://localhost:8000/")
    for said, field in (
        ({"from": "x"}, "from"),
        ({"from": TODAY, "to": TODAY - DAY}, "to"),
        ({"from": TODAY, "to": TODAY + DAY * 366}, "to"),
        ({"team": "nobody"}, "team"),
    ):
        answer = client.get(path, said)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_the_database_is_asked_as_often_for_many(house):
    counts = []
    for more in (0, 8):
        for number in range(more):
            submitted(house, str(number))
            house.requirement("si-2")
        with CaptureQueriesContext(connection) as run:
            due(house, days=10 + more * 30)
        counts.append(len(run))
    assert counts[1] <= counts[0]


def test_whatever_the_grace_a_period_is_listed_on_its_day_and_others_are_not_read(
    house,
):
    row = house.requirement()
    for grace in (0, 45, 200):
        factories.set_terms(
            RequirementControl.objects.filter(pk=row.pk), grace_days=grace
        )
        day = due_on("monthly", THIS_MONTH, grace)
        for first, listed in ((day, True), (day - DAY, False), (day + DAY, False)):
            scope = CalendarScope(first, first, [house.system])
            days = falling_due(scope, user=house.olivia, now=clock.now())
            assert (row.title in {each.title for each in days}) == listed
            assert {each.day for each in days} <= {first}
