"""A person opens one page and sees what is due, rejected or waiting."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.models import Role, System
from controls.responsibility.overrides import request_override
from evidence.models import Export, RequirementControl
from evidence.planning.asks import to_show, with_newest_links
from evidence.planning.open_periods import open_periods, open_periods_of, period_due
from evidence.status.facts import RequirementHistory, TermsFacts
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, submitted
from tests.evidence.planning.afresh import asked_of
from tests.factories import implementation, move_window, set_terms
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("alice", "/work/"),
        ("rita", "/work/"),
        ("olivia", "/systems/shop/"),
        ("ray", "/systems/shop/"),
        ("mallory", "/systems/"),
    ],
)
def test_each_begins_where_their_work_is(client, house, name, begins):
    """Contributor, reviewer, officer, reader and who has no role."""
    client.force_login(house.people[name])
    assert client.get("/")["Location"] == begins


def state_of(house: House, today: dt.date) -> str:
    noon = dt.datetime.combine(today, dt.time(12), tzinfo=dt.UTC)
    asks = to_show(asked_of(house.alice, noon))
    return next(
        each.state
        for each in asks
        if each.requirement.implementation.control.ref_id == "cm-8"
    )


def test_contributor_sees_what_to_prove_with_a_link_to_upload(client, house):
    asked = house.requirement()
    client.force_login(house.alice)
    page = client.get(reverse("evidence:work")).content.decode()
    assert reverse("evidence:upload", args=["shop", asked.uuid]) in page
    assert "Never shown" in page
    client.force_login(house.bob)
    assert "Nothing is asked" in client.get(reverse("evidence:work")).content.decode()


def test_states_follow_the_evidence(house):
    house.requirement()
    assert state_of(house, TODAY) == "never"
    first = submitted(house, "one")
    assert state_of(house, TODAY) == "waiting"
    first.reject(by=house.rita, reason="No date")
    assert state_of(house, TODAY) == "rejected"
    second = submitted(house, "two")
    second.accept(by=house.rita)
    assert state_of(house, TODAY) == "current"
    assert state_of(house, second.proves_to) == "expiring"
    assert state_of(house, second.proves_to + dt.timedelta(days=1)) == "overdue"


def test_nothing_is_called_up_to_date_beside_a_period_that_is_missing(client, house):
    """What is green claims that nothing is left to bring."""
    asked = house.requirement()
    began = TODAY - dt.timedelta(days=100)
    set_terms(
        RequirementControl.objects.filter(pk=asked.pk),
        cadence="monthly",
        grace_days=10,
        operates_from=began,
    )
    move_window(house.system, start=began)
    submitted(house, "one").accept(by=house.rita)
    client.force_login(house.alice)
    page = client.get(reverse("evidence:work"))
    rows = {row.worst.requirement.pk: row for row in page.context["asks"]}
    assert (rows[asked.pk].worst.state, rows[asked.pk].worst.word) == (
        "current",
        "Overdue",
    )
    counted = {word: number for _, word, number in page.context["counts"]}
    words = [row.worst.word for row in rows.values()]
    assert counted["Overdue"] == words.count("Overdue")
    narrowed = client.get(reverse("evidence:work"), {"state": "current"})
    assert not [row for row in narrowed.context["asks"] if row.worst.missing]


MONTHLY = RequirementControl(
    cadence="monthly", operates_from=dt.date(2026, 1, 1), grace_days=10
)
FOREVER = (dt.date.min, dt.date.max)
HISTORY = RequirementHistory(
    uuid="r",
    terms=(
        TermsFacts(
            *FOREVER, "Inventory", "monthly", "operation", 10, None, "quarterly"
        ),
    ),
    named=((dt.date(2026, 1, 1), dt.date.max),),
    links=(),
    populations=(),
)


def unanswered_on(today, answered, *, since=dt.date(2026, 1, 1), standing=FOREVER):
    months = {(dt.date(2026, n, 1), None) for n in answered}
    return open_periods(HISTORY, [standing], months, since, today)


@pytest.mark.parametrize(
    ("answered", "due"),
    [
        (range(1, 10), 10),  # October ended and nothing was brought for it
        (range(1, 11), 11),  # all that ended was answered: the running one
        ([*range(1, 7), 8, 9, 10], 7),  # R14: a missed period stays askable
        ([], 1),
    ],
)
def test_the_period_asked_for_is_the_oldest_open_one(answered, due):
    """R14: the oldest open period first, the running one where none is open."""
    period = period_due(MONTHLY, unanswered_on(TODAY, answered), TODAY)
    assert (period.first, period.last.month) == (dt.date(2026, due, 1), due)


def test_what_was_not_ours_is_no_open_period():
    """R14: one test; what nothing was asked for on its last day is not missing."""
    standing = (dt.date(2026, 8, 15), dt.date.max)
    unanswered = unanswered_on(TODAY, [], standing=standing)
    assert [period.first.month for period in unanswered] == [8, 9, 10]


def test_what_ended_before_the_window_is_asked_for_until_it_is_due(house):
    """R14: of earlier windows only the newest period, which may still be in grace."""
    asked = house.requirement()
    first = TODAY.replace(day=1)
    move_window(house.system, start=first)
    rows = RequirementControl.objects.for_listing().filter(pk=asked.pk)
    opened = open_periods_of(with_newest_links(rows, first), first)
    (period,) = opened[asked.pk]
    assert (period.last, period.overdue) == (first - dt.timedelta(days=1), 0)


def test_the_page_judges_by_the_day_that_the_door_reads(client, house, on_day):
    asked = RequirementControl.objects.filter(pk=house.requirement().pk)
    set_terms(asked, operates_from=TODAY)  # so that no older period is missing
    link = submitted(house, "one")
    link.accept(by=house.rita)
    client.force_login(house.alice)
    for day, word in [
        (link.proves_to, "Due soon"),
        (link.proves_to + dt.timedelta(days=1), "Overdue"),
    ]:
        on_day(day)
        counts = client.get(reverse("evidence:work")).context["counts"]
        assert word in [name for _, name, _ in counts]


def test_reviewer_sees_how_many_wait_and_queries_do_not_grow(client, house):
    submitted(house, "0")
    client.force_login(house.rita)
    page = client.get(reverse("evidence:work")).content.decode()
    assert "1 submission" in page
    counts = []
    for more in (0, 5):
        for number in range(more):
            submitted(house, f"more {number}")
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("evidence:work"))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_export_is_asked_for_and_seen_by_its_owner_only(client, house):
    sign_in_just_now(client, house.ray)
    url = reverse("evidence:export_request")
    today = TODAY.isoformat()
    assert client.post(url, {"system": "shop", "on": today}).status_code == 302
    export = Export.objects.get()
    assert "Shop" in client.get(reverse("evidence:exports")).content.decode()
    download = reverse("evidence:export_download", args=[export.uuid])
    assert client.get(download).status_code == 409
    sign_in_just_now(client, house.alice)
    assert client.get(download).status_code == 404
    sign_in_just_now(client, house.mallory)
    assert client.post(url, {"system": "shop", "on": today}).status_code == 400
    assert Export.objects.count() == 1


def test_export_of_a_day_that_is_none_is_refused(client, house):
    sign_in_just_now(client, house.ray)
    url = reverse("evidence:export_request")
    assert client.post(url, {"system": "shop", "on": "never"}).status_code == 400
    assert not Export.objects.exists()


def test_running_export_is_fetched_again_as_a_part(client, house):
    sign_in_just_now(client, house.ray)
    today = TODAY.isoformat()
    client.post(reverse("evidence:export_request"), {"system": "shop", "on": today})
    part = client.get(reverse("evidence:exports"), headers={"HX-Request": "true"})
    text = part.content.decode()
    assert text.lstrip().startswith("<section")
    assert "every 2s" in text


def test_officers_approve_without_leaving_the_page(client, house):
    house.people["otto"] = houses.person("otto")
    houses.give(house, "otto", Role.OFFICER)
    asked = request_override(
        implementation(house.system, "cm-8"),
        responsibility="customer",
        reason="Ours",
        citation="Letter",
        starts_on=TODAY,
        ends_on=TODAY,
        by=house.olivia,
    )
    sign_in_just_now(client, house.otto)
    step = reverse("evidence:override_decide", args=[asked.uuid])
    assert step in client.get(reverse("evidence:work")).content.decode()
    done = client.post(step, {"decision": "approve", "next": "work"}, follow=True)
    assert done.redirect_chain[-1][0] == reverse("evidence:work")
    asked.refresh_from_db()
    assert asked.state == "approved"


def test_contributors_upload_without_leaving_the_page(client, house):
    asked = house.requirement()
    sign_in_just_now(client, house.alice)
    page = client.get(reverse("evidence:work"))
    (ask,) = [a for a in page.context["asks"] if a.requirement == asked]
    today = TODAY.isoformat()
    said = {
        "next": "work",
        "title": "Inventory",
        "period_start": str(ask.period.first),
        "period_end": str(ask.period.last),
        "performed_on": today,
        "collected_on": today,
        "sensitivity": "internal",
        "files": houses.file("list.csv", b"a,b\n"),
    }
    url = reverse("evidence:upload", args=["shop", asked.uuid])
    done = client.post(url, said, follow=True)
    assert done.redirect_chain[-1][0] == reverse("evidence:work")
    assert asked.links.get().state == "submitted"


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Honolulu", "2026-11-22"), ("Pacific/Kiritimati", "2026-11-23")],
)
def test_the_form_in_the_row_proposes_the_day_of_the_system(client, house, zone, day):
    """It is 09:00 UTC: in Honolulu still the day before, and no later day is taken."""
    System.objects.update(time_zone=zone)
    sign_in_just_now(client, house.alice)
    page = client.get(reverse("evidence:work")).content.decode()
    days = set(re.findall(r'name="(?:collected|performed)_on"\s+value="(\S+)"', page))
    assert days == {day}
    (ask, *_) = to_show(asked_of(house.alice, clock.now()))
    fields = {
        "next": "work",
        "title": "Inventory",
        "period_start": ask.period.first,
        "period_end": ask.period.last,
        "sensitivity": "internal",
        "collected_on": day,
        "performed_on": day,
        "files": SimpleUploadedFile("inventory.txt", b"two hosts, both known"),
    }
    to = reverse("evidence:upload", args=[house.system.slug, ask.requirement.uuid])
    answer = client.post(to, fields)
    assert answer.status_code == 302, answer.content.decode()
