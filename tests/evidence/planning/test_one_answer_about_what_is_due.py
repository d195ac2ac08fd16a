"""My work, calendar, feed, notices, mail, badge and control page agree on what is due.

R14: one test says which periods are asked for; what was brought, refused or waits is
read the same way everywhere. Shown over histories made at random.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from icalendar import Calendar

from controls import clock
from controls.models import Actor
from evidence.models import EvidenceLink, Notice, RequirementControl
from evidence.models.notices import WORK, NoticeKind, NoticeMail
from evidence.notices.gathering import gather_notices
from evidence.notices.mailing import make_mails, message
from evidence.planning.asks import Ask, to_show
from evidence.planning.by_ask import by_ask
from evidence.planning.calendar import CalendarScope, falling_due
from evidence.planning.feed import BEFORE, feed_of
from evidence.status.cadence import DAY, last_day, occurrence_of
from evidence.status.control_status import control_statuses, window_of
from evidence.status.gather import Moment
from evidence.status.occurrences import occurrences
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from evidence.views.header import counts
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House
from tests.evidence.planning.afresh import asked_of, is_to_do
from tests.factories import move_windows, set_terms

pytestmark = pytest.mark.django_db
FATES = st.sampled_from(["nothing", "accepted", "waiting", "rejected", "withdrawn"])
YEAR_BACK = TODAY - DAY * 365


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    # the window holds the days looked at, and everybody means today's terms
    move_windows(start=YEAR_BACK, end=TODAY + DAY * 200)
    house.system.refresh_from_db()
    return house


def bring(house: House, asked: RequirementControl, day: dt.date, fate: str) -> None:
    """Evidence of a day, and what became of it."""
    if fate == "nothing":
        return
    submission = Submission(
        title=f"Report of {day}",
        performed_on=day,
        period_start=day,
        period_end=day,
        collected_on=day,
    )
    number = EvidenceLink.objects.count()
    link = submit(
        submission,
        [store("report.txt", [f"{asked.pk} {day} {number}".encode()])],
        requirement=asked,
        by=house.alice,
        today=TODAY,
    )
    if fate == "accepted":
        link.accept(by=house.rita)
    elif fate == "rejected":
        link.reject(by=house.rita, reason="Another month.")
    elif fate == "withdrawn":
        link.withdraw(by=house.alice, reason="The wrong file.")


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)


Periods = set[tuple[str, dt.date]]  # label of a control and a due day


def of_my_work(asks: list[Ask]) -> Periods:
    """Periods whose due day has passed, nothing being brought for them."""
    return {
        (ask.requirement.implementation.control.label, period.due)
        for ask in asks
        for period in ask.missing
    }


def of_the_calendar(house: House, user: Actor, day: dt.date) -> Periods:
    missing: Periods = set()
    for start in (YEAR_BACK, YEAR_BACK + DAY * 300):
        scope = CalendarScope(start, min(day, start + DAY * 299), [house.system])
        missing |= {
            (due.control, due.day)
            for due in falling_due(scope, user=user, now=noon(day))
            if due.kind == "Proof" and due.word == "Overdue"
        }
    return missing


def of_the_control_pages(house: House, day: dt.date) -> Periods:
    window = window_of(house.system)
    answers = control_statuses(house.system, Moment(day), window=window)
    return {
        (answer.implementation["label"], occurrence.result.due_on)
        for answer in answers
        for occurrence in occurrences(answer, Moment(day))
        if occurrence.state == "missed"
        and occurrence.result.counts_from is None
        and not occurrence.result.outside
    }


def of_notices(user: Actor, day: dt.date) -> Periods:
    gather_notices(noon(day))
    mine = Notice.objects.visible_to(user).filter(ended_at=None)
    return {
        (row.said["what"].partition(" ")[0], dt.date.fromisoformat(row.said["day"]))
        for row in mine.filter(kind=NoticeKind.OVERDUE)
    }


def of_the_feed(user: Actor, day: dt.date) -> Periods:
    """What a calendar that subscribes shows as overdue: of the last BEFORE days."""
    events = Calendar.from_ical(feed_of(user, noon(day))).walk("VEVENT")
    return {
        (str(event["summary"]).partition(":")[0], event["dtstart"].dt)
        for event in events
        if str(event["description"]).endswith(": Overdue")
    }


def of_the_mail(user: Actor, day: dt.date) -> Periods:
    """What the mail of the day says was due; it is made of what nobody has read."""
    make_mails(noon(day))
    text = message(NoticeMail.objects.get(user=user)).body
    lines = re.findall(r"“(\S+) [^”]*” was due on (\d{4}-\d\d-\d\d)", str(text))
    assert len(lines) == len(set(lines))  # each is said once
    return {(label, dt.date.fromisoformat(due)) for label, due in lines}


def badge(user: Actor) -> int:
    """The number beside My work, on every page."""
    cache.clear()
    request = RequestFactory().get("/")
    request.user = user
    return int(counts(request)["header"]["work"])  # type: ignore[arg-type]


def oldest_since(periods: Periods, stated: dt.date) -> Periods:
    """Of each control the first that was to come when it was stated."""
    since = {(label, due) for label, due in periods if due >= stated}
    return {
        (label, min(due for other, due in since if other == label))
        for label, _ in since
    }


@hypothesis_settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cadences=st.tuples(
        st.sampled_from(["monthly", "quarterly", "half-yearly"]),
        st.sampled_from(["monthly", "weekly", "yearly", "quarterly"]),
    ),
    fates=st.lists(st.tuples(FATES, FATES), min_size=9, max_size=9),
    asked_for=st.integers(30, 360),
    later=st.integers(0, 150),
)
def test_all_places_agree(house, cadences, fates, asked_for, later):
    day = TODAY + DAY * later
    with transaction.atomic():
        everything = RequirementControl.objects.all()
        set_terms(everything, cadence="once", grace_days=0)
        for ref_id, cadence in zip(("cm-8", "ac-1"), cadences, strict=True):
            mine = everything.filter(implementation__control__ref_id=ref_id)
            set_terms(
                mine, cadence=cadence, grace_days=10 if cadence != "weekly" else 2
            )
            mine.update(operates_from=TODAY - DAY * asked_for)
            asked = mine.select_related("system", "implementation__control").get()
            for number, both in enumerate(fates):
                performed = TODAY - DAY * 38 * number
                first = occurrence_of(cadence, performed)
                ended = first is None or last_day(cadence, first) >= YEAR_BACK
                if ended and performed >= TODAY - DAY * asked_for:
                    bring(house, asked, performed, both[ref_id == "ac-1"])
        missing = of_my_work(to_show(asked_of(house.alice, noon(day))))
        # yearly proof that ran out is overdue there, and no period
        yearly = {"AC-1"} if cadences[1] == "yearly" else set()
        calendar = of_the_calendar(house, house.olivia, day)
        assert {pair for pair in calendar if pair[0] not in yearly} == missing
        assert of_the_control_pages(house, day) == missing
        told = oldest_since(missing, TODAY)
        labels = {label for label, _ in missing}
        feed = of_the_feed(house.alice, day)
        assert {pair for pair in feed if pair[0] not in yearly} == {
            (label, due) for label, due in missing if due >= day - DAY * BEFORE
        }
        notices = of_notices(house.alice, day)
        assert {pair for pair in notices if pair[0] in labels} == told
        current = Notice.objects.filter(user=house.alice, ended_at=None)
        other_work = current.filter(kind__in=WORK).values("path").distinct()
        now_open = by_ask(asked_of(house.alice, clock.now()))
        to_do = sum(is_to_do(ask) for ask in now_open)
        assert badge(house.alice) == to_do + other_work.count()
        if notices:
            assert of_the_mail(house.alice, day) == notices
        transaction.set_rollback(True)
