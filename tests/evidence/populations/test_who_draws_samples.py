"""Each role does with populations and samples what is its own, and finds its work."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from controls.errors import NotPermitted
from controls.models import AuditEvent, Membership
from evidence.demo.populations import play_events
from evidence.models import (
    Deviation,
    Population,
    RequirementControl,
    Sample,
    SampleItem,
)
from evidence.populations.populations import decide_population
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.selection import SelectionMethod
from tests import factories
from tests.evidence.house import House, file
from tests.evidence.per_event import (
    TODAY,
    bring,
    build,
    judge,
    listed,
    made_per_event,
    sample,
    upload,
    url,
)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    return build(settings, tmp_path)


@pytest.fixture
def asked(house) -> RequirementControl:
    return made_per_event(house)


@pytest.fixture
def population(client, house, asked) -> Population:
    client.force_login(house.alice)
    return bring(client, asked, list=file("changes.csv", listed()))


def test_auditors_draw_samples_and_see_everything(client, house, asked, population):
    answer = sample(
        client, house.audrey, population, method="every-nth", every=4, first=2
    )
    assert answer.status_code == 302
    drawn = Sample.objects.get()
    assert [i.item.position for i in drawn.items.for_listing()] == [2, 6, 10]
    for path in (
        url(asked, ""),
        f"/populations/{population.uuid}/",
        answer.url,
        f"{answer.url}sample.csv",
    ):
        assert client.get(path).status_code == 200
    event = AuditEvent.objects.get(verb="sample.drawn")
    assert event.actor == house.audrey
    assert client.get(url(asked)).status_code == 403
    item = drawn.items.first()
    assert upload(client, house.audrey, asked, item).status_code == 403
    to = f"/sampled/{item.uuid}/deviates/"
    assert client.post(to, {"note": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "seen", "drawn", "brought"),
    [
        ("olivia", 200, 302, 200),
        ("rita", 200, 403, 403),
        ("ray", 200, 403, 403),
        ("bob", 404, 404, 403),
        ("mallory", 404, 404, 404),
    ],
)
def test_everybody_else_may_what_their_role_says(
    client, house, asked, population, name, seen, drawn, brought
):
    user = house.people[name]
    client.force_login(user)
    assert client.get(f"/populations/{population.uuid}/").status_code == seen
    assert client.get(url(asked)).status_code == brought
    confirm = client.post(url(asked, "confirm/"), {"token": "x"}).status_code
    assert confirm == (409 if brought == 200 else brought)
    assert sample(client, user, population).status_code == drawn
    assert judge(client, user, population, "withdraw", "x").status_code in {
        302 if name == "olivia" else 403,
        seen,
    }


def test_who_brought_it_draws_no_sample_and_learns_whom_to_ask(
    client, house, asked, population
):
    """R16: a sample is never drawn by whoever brought the population."""
    page = f"/populations/{population.uuid}/"
    client.force_login(house.alice)
    shown = client.get(page).content.decode()
    assert "Ask Audrey, Olivia." in shown
    assert "Draw a sample" not in shown
    answer = sample(client, house.alice, population)
    assert answer.status_code == 403
    assert "Somebody who had no hand in this list" in answer.content.decode()
    with pytest.raises(NotPermitted, match="Ask Audrey, Olivia"):
        draw_sample(population, SelectionMethod("all"), reason="All", by=house.alice)
    assert not Sample.objects.exists()


def test_nor_by_who_brought_another_list_of_these_days(
    client, house, asked, population
):
    """R16, R32: an earlier list of the same days is an earlier state of it."""
    client.force_login(house.olivia)
    bring(client, asked, list=file("other.csv", listed(3)))
    assert sample(client, house.olivia, population).status_code == 403
    assert sample(client, house.audrey, population).status_code == 302


def test_where_nobody_else_may_the_page_says_so(client, house, asked, population):
    """R16: the page says whom to ask, also where there is nobody yet."""
    Membership.objects.filter(user__in=[house.audrey, house.olivia]).update(
        ends_at=F("starts_at") + dt.timedelta(microseconds=1)
    )
    client.force_login(house.alice)
    page = client.get(f"/populations/{population.uuid}/").content.decode()
    assert "Nobody else may yet" in page


def test_readers_record_no_deviation(client, house, asked, population):
    sample(client, house.olivia, population, size=1)
    item = SampleItem.objects.get()
    to = f"/sampled/{item.uuid}/deviates/"
    expected = {"ray": 403, "bob": 404, "mallory": 404, "rita": 302}
    for name, status in expected.items():
        client.force_login(house.people[name])
        assert client.post(to, {"note": "x"}).status_code == status


def test_every_step_locks_the_requirement_first(client, house, asked, population):
    with CaptureQueriesContext(
        connection,
    ) as taken:
        decide_population(population, accept=True, by=house.rita)
        made = draw_sample(
            population, SelectionMethod("all"), reason="All", by=house.olivia
        )
        record_deviation(made.items.first(), note="Late", by=house.alice)
    locks = [q["sql"] for q in taken if "FOR UPDATE" in q["sql"]]
    assert len([sql for sql in locks if "evidencerequirement" in sql]) == 3


def test_work_and_queue_name_what_waits(client, house, asked, population):
    client.force_login(house.rita)
    assert "Populations to review" in client.get("/work/").content.decode()
    assert "1 population of events waits" in client.get("/review/").content.decode()
    judge(client, house.rita, population)
    sample(client, house.olivia, population)
    client.force_login(house.alice)
    page = client.get("/work/").content.decode()
    assert "3 sampled items to show" in page


def test_pages_take_the_same_statements_for_one_and_for_many(
    client, house, asked, population, django_assert_max_num_queries
):
    sample(client, house.olivia, population, method="all")
    (drawn,) = Sample.objects.all()
    for path in (f"/samples/{drawn.uuid}/", f"/populations/{population.uuid}/"):
        client.get(path)
        with django_assert_max_num_queries(22):
            assert client.get(path).status_code == 200


def test_the_demo_shows_a_sample_and_days_without_events(house):
    oscar = house.olivia
    baseline = factories.make_baseline(("ac-2", "cm-3"), slug="events")
    system = factories.make_system(
        oscar, slug="demo", baseline=baseline, team=house.team
    )
    people = {"olivia": oscar, "paul": house.alice, "sara": house.bob}
    people |= {"rita": house.rita, "audrey": house.audrey}
    for name in ("alice", "bob"):
        factories.give_role(house.people[name], system, "contributor", team=house.team)
    factories.give_role(house.rita, system, "reviewer")
    factories.let_auditor_in(house.audrey, system)
    play_events(system, people, TODAY)
    changes, *leavers = Population.objects.with_state().order_by("pk")
    assert (changes.row_count, changes.state) == (60, "accepted")
    assert [(row.row_count, row.state, str(row.ends)) for row in leavers] == [
        (0, "accepted", "2026-07-31"),
        (0, "accepted", "2026-08-31"),
        (0, "accepted", "2026-10-31"),  # nobody listed September
    ]
    found = [i.state for i in SampleItem.objects.with_state()]
    assert [found.count(s) for s in ("accepted", "open")] == [12, 3]
    assert Deviation.objects.count() == 1
