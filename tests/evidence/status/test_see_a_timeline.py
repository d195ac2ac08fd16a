"""Somebody sees each expected occurrence of a control: when, how, by whom reviewed."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evidence.models import RequirementControl
from evidence.models.confirmed_days import DayConfirmation
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from evidence.status.occurrences import lanes, occurrences
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.factories import set_terms

pytestmark = pytest.mark.django_db
PAGE = "/systems/payments/controls/si-2/"
API = "/api/v1/systems/payments/controls/si-2/occurrences/"
WINDOW = (dt.date(2026, 1, 1), dt.date(2026, 6, 30))
CLOCK = {"on": "2026-05-31", "window_from": "2026-01-01", "window_to": "2026-06-30"}
DAY = dt.timedelta(days=1)
# All of it is brought when the test runs, long after its due days.
SHOWN = DayConfirmation(confirmed=True, shown_by="The report's own date")


@pytest.fixture
def asked(system) -> RequirementControl:
    """A monthly report since January, with ten days of grace."""
    found = factories.requirement(system, "si-2")
    set_terms(
        RequirementControl.objects.filter(pk=found.pk),
        cadence="monthly",
        grace_days=10,
        operates_from=dt.date(2026, 1, 1),
    )
    found.refresh_from_db()
    return found


def proof(asked, by, month: int, performed: str):
    """A report about a month, performed on a day."""
    start = dt.date(2026, month, 1)
    performed_on = dt.date.fromisoformat(performed)
    said = Submission(
        title=f"Report {month}",
        performed_on=performed_on,
        period_start=start,
        period_end=start + 27 * DAY,
        collected_on=performed_on,
    )
    uploads = [store("report.txt", [performed.encode()])]
    return submit(said, uploads, requirement=asked, by=by, today=performed_on)


@pytest.fixture
def year(asked, alice, rita):
    """January on time, February late, March missed, April waiting, May to come."""
    proof(asked, alice, 1, "2026-01-30").accept(by=rita, day=SHOWN)
    proof(asked, alice, 2, "2026-03-20").accept(by=rita, day=SHOWN)
    proof(asked, alice, 4, "2026-05-05")
    return asked


STATES = ["on_time", "late", "missed", "waiting", "not_yet_due", "not_yet_due"]


def test_each_occurrence_has_its_state_proof_and_reviewer(year, alice, as_user):
    body = as_user(alice).get(API, CLOCK).json()
    rows = body["occurrences"]
    assert [row["state"] for row in rows] == STATES
    assert [row["due_on"] for row in rows][:2] == ["2026-02-10", "2026-03-10"]
    assert (rows[1]["late_days"], rows[1]["performed_on"]) == (10, "2026-03-20")
    assert [row["reviewer"] for row in rows][:4] == ["Rita", "Rita", "", ""]
    assert [bool(row["evidence"]) for row in rows[:4]] == [True, True, False, True]
    # submitted in time, yet nothing counts before somebody accepted it
    assert rows[3]["outcome"] == "missed"
    assert (body["on"], body["window_to"], body["result"]) == (
        "2026-05-31",
        "2026-06-30",
        "exceptions",
    )


def test_the_page_draws_a_mark_for_each_and_says_the_same_in_a_table(
    year, alice, as_user
):
    page = as_user(alice).get(PAGE, CLOCK).content.decode()
    svg = page[page.index('<svg class="lanes"') :]
    svg = svg[: svg.index("</svg>")]
    assert re.findall(r'class="mark mark-(\w+)" transform', svg) == STATES
    outlines = re.findall(r'transform="[^"]+" d="([^"]+)"', svg)
    assert len(set(outlines)) == len(set(STATES))
    assert "1 on time, 1 late, 1 missed, 1 waiting for review, 2 not yet due" in svg
    assert "counts as missed until it is accepted" in page
    assert "Report 2</a>" in page
    assert "style=" not in page


def test_what_was_not_known_yet_is_not_drawn(year, alice, as_user):
    clock = CLOCK | {"known_at": "2020-01-01T00:00:00+00:00"}
    answer = as_user(alice).get(API, clock)
    assert answer.status_code == 400
    assert "Nothing of this system was recorded by then" in answer.content.decode()
    page = as_user(alice).get(PAGE, clock).content.decode()
    assert "was not recorded at that time" in page


def test_before_a_day_nothing_performed_later_counts(year, alice, as_user):
    rows = as_user(alice).get(API, CLOCK | {"on": "2026-02-15"}).json()["occurrences"]
    assert [row["state"] for row in rows] == ["on_time"] + ["not_yet_due"] * 5


@pytest.mark.parametrize(
    ("cadence", "performed"), [("yearly", "2025-11-03"), ("once", "2024-11-03")]
)
def test_rolling_and_single_proof_waits_too(
    cadence, performed, asked, alice, system, as_user
):
    """Twelve months before the window's end, or any day, would count: so it waits."""
    set_terms(RequirementControl.objects.all(), cadence=cadence)
    asked.refresh_from_db()
    performed_on = dt.date.fromisoformat(performed)
    factories.make_evidence(asked, by=alice, performed_on=performed_on)
    rows = as_user(alice).get(API, CLOCK).json()["occurrences"]
    assert [(row["state"], row["outcome"]) for row in rows] == [
        ("waiting", "not_yet_due")
    ]


def test_a_requirement_that_ended_in_the_window_keeps_its_row(year, alice, as_user):
    RequirementControl.objects.filter(pk=year.pk).update(
        operates_until=dt.date(2026, 3, 1)
    )
    answer = as_user(alice).get(PAGE, CLOCK)
    assert answer.context["requirements"] == []
    (row,) = answer.context["lanes"].rows
    assert row.summary == "1 on time, 1 late"


def test_marks_stay_whole_at_both_ends_of_the_window(year, system):
    pk = factories.implementation(system, "si-2").pk
    for window in (WINDOW, (dt.date(2026, 1, 31), dt.date(2026, 1, 31))):
        moment = Moment(dt.date(2026, 5, 31))
        (answer,) = control_statuses(system, moment, pks=[pk], window=window)
        drawn = lanes(occurrences(answer, moment), window, moment.on)
        places = [mark.x for row in drawn.rows for mark in row.marks]
        assert places
        assert all(12 <= x <= 988 for x in places)


def test_nothing_of_ours_has_no_timeline(system, alice, as_user):
    assert (
        'class="lanes"'
        not in as_user(alice).get("/systems/payments/controls/pe-3/").content.decode()
    )
    path = API.replace("si-2", "pe-3")
    assert as_user(alice).get(path).json()["occurrences"] == []


@pytest.mark.parametrize(
    ("name", "status"), [("rita", 200), ("audrey", 200), ("mallory", 404)]
)
def test_who_may_read_it(name, status, system, request, as_user):
    browser = as_user(request.getfixturevalue(name))
    assert browser.get(API).status_code == status
    assert browser.post(API).status_code in {403, 404, 405}


@pytest.mark.parametrize(
    "said", [{"on": "x"}, {"window_from": "2026-01-01"}, {"known_at": "yesterday"}]
)
def test_clocks_that_are_none_are_refused(said, system, alice, as_user):
    assert as_user(alice).get(API, said).status_code == 400


def test_the_database_is_asked_as_often_for_many(year, alice, as_user):
    browser = as_user(alice)
    counts = []
    for cadence in ("monthly", "weekly"):
        set_terms(RequirementControl.objects.filter(pk=year.pk), cadence=cadence)
        with CaptureQueriesContext(connection) as run:
            answer = browser.get(PAGE, CLOCK)
        counts.append((len(run), len(answer.context["lanes"].rows[0].marks)))
    assert counts[0][0] == counts[1][0]
    assert counts[0][1] < counts[1][1]
