"""AC-08: what lists choose and count by is what judging each row says, at any time.

Histories made at random: what is brought, decided, changed, left out; standings are
kept at some moment of each and read on later days.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from controls.models import Team
from evidence.models import AskStanding, RequirementControl, StandingMark
from evidence.planning.board import board_of
from evidence.planning.by_ask import by_ask
from evidence.planning.narrowed_asks import AskFilter
from evidence.planning.standing_check import standing_differences
from evidence.planning.standing_scope import StandingScope
from evidence.planning.standing_upkeep import keep_standings
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House
from tests.evidence.planning.afresh import asked_of, is_open, is_to_do
from tests.factories import move_windows, set_terms

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
CADENCES = ["weekly", "monthly", "quarterly", "half-yearly", "yearly", "once"]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    move_windows(start=TODAY - DAY * 200, end=TODAY + DAY * 164)
    house.system.refresh_from_db()
    for ref_id in houses.CONTROLS[:2]:
        house.requirement(ref_id)
    return house


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)


def rows_of(house: House) -> list[RequirementControl]:
    mine = house.system.requirements.exclude(cadence="per-event").order_by("pk")
    return list(mine.select_related("system", "implementation__control")[:3])


def bring(house: House, asked: RequirementControl, back: int, fate: str) -> None:
    day = TODAY - DAY * back
    submission = Submission(
        title=f"Report of {day}",
        performed_on=day,
        period_start=day,
        period_end=day,
        collected_on=day,
    )
    text = f"{asked.pk} {day} {StandingMark.objects.count()} {fate}"
    link = submit(
        submission,
        [store("report.txt", [text.encode()])],
        requirement=asked,
        by=house.olivia,
        today=TODAY,
    )
    if fate == "accepted":
        link.accept(by=house.rita)
    elif fate == "rejected":
        link.reject(by=house.rita, reason="Another month.")


def new_terms(house: House, asked: RequirementControl, ahead: int, to: str) -> None:
    asked.refresh_from_db()
    change_requirement(
        asked,
        replace(
            NewTerms.stated_by(asked),
            cadence=to,
            grace_days=3,
            rarer_because="Agreed with the auditor.",
        ),
        version=None,
        by=house.olivia,
        today=TODAY,
        from_day=TODAY + DAY * ahead,
        reason="Agreed with the auditor.",
    )


def act(house: House, kind: str, which: int, days: int, word: str) -> None:
    """One thing that happens, by the door that does it or past every door."""
    asked = rows_of(house)[which]
    raw = RequirementControl.objects.filter(pk=asked.pk)
    if kind == "bring":
        bring(house, asked, min(days, 150), word)
    elif kind == "terms":
        new_terms(house, asked, days, CADENCES[days % 6])
    elif kind == "end":
        raw.update(operates_until=TODAY + DAY * (1 + days))
    elif kind == "begin":
        raw.update(operates_from=TODAY + DAY * (days - 100), operates_until=None)
    elif kind == "team":
        raw.update(owner_team=Team.objects.order_by("pk")[days % Team.objects.count()])
    elif kind == "window":
        move_windows(start=TODAY + DAY * (days - 120))
    elif kind == "leave out":
        state = "not-applicable" if days % 2 else "applicable"
        house.system.implementations.filter(pk=asked.implementation_id).update(
            applicability=state
        )
    elif kind == "keep":
        keep_standings(noon(TODAY))


def try_act(house: House, *what: Any) -> None:
    """The same, or nothing where a door refuses it."""
    with suppress(ValidationError), transaction.atomic():
        act(house, *what)


ACTS = st.tuples(
    st.sampled_from(
        ["bring"] * 4 + ["terms", "end", "begin", "team", "window", "leave out", "keep"]
    ),
    st.integers(0, 2),
    st.integers(0, 150),
    st.sampled_from(["accepted", "waiting", "rejected"]),
)


def of_board(house: House, day: dt.date) -> list[object]:
    """What My work and the badge show: numbers, work to do, the rows in their order."""
    board = board_of(house.alice, noon(day))
    states = {
        row.worst.shown_state for row in board.fitting(AskFilter(state="current"))
    }
    assert states <= {"current"}
    return [
        board.number,
        board.to_do,
        {state: number for state, _, number in board.counted()},
        [row.worst.requirement.pk for row in board.fitting(AskFilter())],
        len(board.fitting(AskFilter())),
        {
            row.worst.requirement.pk
            for row in board.fitting(AskFilter(due="overdue", state=""))
        },
    ]


def judged_afresh(house: House, day: dt.date) -> list[object]:
    """The same, each row judged."""
    rows = by_ask(asked_of(house.alice, noon(day)))
    shown = [row for row in rows if is_open(row)]
    overdue = [row for row in shown if row.days_late > 0]
    return [
        len(rows),
        sum(is_to_do(row) for row in rows),
        dict(Counter(row.worst.shown_state for row in rows)),
        [row.worst.requirement.pk for row in shown],
        len(shown),
        {row.worst.requirement.pk for row in overdue},
    ]


@hypothesis_settings(
    deadline=None,
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cadences=st.tuples(*[st.sampled_from(CADENCES)] * 3),
    before=st.lists(ACTS, max_size=5),
    after=st.lists(ACTS, max_size=2),
    later=st.lists(st.integers(0, 420), min_size=2, max_size=4),
)
def test_kept_standings_say_what_judging_says(house, cadences, before, after, later):
    with transaction.atomic():
        for asked, cadence in zip(rows_of(house), cadences, strict=True):
            mine = RequirementControl.objects.filter(pk=asked.pk)
            set_terms(mine, cadence=cadence, grace_days=2)
            mine.update(operates_from=TODAY - DAY * 170)
        for each in before:
            try_act(house, *each)
        keep_standings(noon(TODAY))
        assert not StandingMark.objects.exists()
        for each in after:
            try_act(house, *each)
        house.system.refresh_from_db()
        for days in [0, *sorted(later)]:
            day = TODAY + DAY * days
            assert standing_differences(house.system, noon(day)) == []
            assert of_board(house, day) == judged_afresh(house, day), day
        transaction.set_rollback(True)


def test_nobody_judges_what_is_marked_for_others(house, django_assert_num_queries):
    """However much of another system or team was just changed (AC-08)."""
    keep_standings(noon(TODAY))
    own, others = rows_of(house)[:2]
    team = own.owner_team_id or own.implementation.owner_team_id
    elsewhere = Team.objects.create(name="Elsewhere", slug="elsewhere")

    def judged_by(team: int | None) -> tuple[list[int], int]:
        scope = StandingScope([(house.system, team)], noon(TODAY))
        made = json.loads(scope.parameters["made"])
        return scope.parameters["anew"], sum(row["team_id"] == team for row in made)

    with django_assert_num_queries(1):
        assert judged_by(team) == ([], 0)
    # handed over: marked, and no longer counted by whoever had it
    RequirementControl.objects.filter(pk=others.pk).update(owner_team=elsewhere)
    assert judged_by(elsewhere.pk) == ([others.pk], 1)
    assert judged_by(team) == ([others.pk], 0)
    keep_standings(noon(TODAY))
    RequirementControl.objects.filter(pk=others.pk).update(lead_days=4)
    with django_assert_num_queries(1):
        assert judged_by(team) == ([], 0)
    assert judged_by(elsewhere.pk) == ([others.pk], 1)
    assert judged_by(None)[0] == [others.pk]


def exit_code(*options: str) -> int:
    """Of the command; 0 where it just returns."""
    try:
        call_command("due_check", *options)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_row_changed_by_hand_is_named_and_made_anew(house, capsys):
    keep_standings(noon(TODAY))
    assert exit_code() == 0
    row = AskStanding.objects.order_by("pk").first()
    before = AskStanding.objects.filter(pk=row.pk).values().get()
    AskStanding.objects.filter(pk=row.pk).update(waiting=not row.waiting)
    assert exit_code() == 1
    assert f"waiting: kept {not row.waiting}, should be" in capsys.readouterr().out
    AskStanding.objects.filter(pk=row.pk).delete()
    assert exit_code("shop") == 1
    assert "missing" in capsys.readouterr().out
    assert exit_code("--rebuild") == 0
    assert AskStanding.objects.filter(pk=row.pk).values().get() == before
    assert exit_code() == 0
    assert exit_code("nowhere") == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_written_while_standings_are_made_is_not_lost(house):
    """A writer that commits after the marks were read marks its row again."""
    keep_standings(noon(TODAY))
    (asked, *_) = rows_of(house)
    other = connection.copy()
    with transaction.atomic():
        RequirementControl.objects.filter(pk=asked.pk).update(lead_days=4)
        # not committed yet: whoever makes standings now does not see it
        other.close()
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM evidence_standingmark WHERE requirement_id = %s",
                [asked.pk],
            )
            assert cursor.fetchone() == (0,)
    other.close()
    marks = StandingMark.objects.values_list("requirement_id", flat=True)
    assert list(marks.distinct()) == [asked.pk]
    keep_standings(noon(TODAY))
    assert not StandingMark.objects.exists()
    assert standing_differences(house.system, noon(TODAY)) == []
