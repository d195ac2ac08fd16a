"""A run judges what is due where something changed, and tells the same."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.cache import cache

from controls import clock
from evidence.models import RequirementControl
from evidence.notices import due
from evidence.notices.people import People
from evidence.planning.standing_upkeep import keep_standings
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, submitted

DAY = dt.timedelta(days=1)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    made = houses.build()
    RequirementControl.objects.all().update(operates_from=TODAY - 60 * DAY)
    return made


def candidates(instant: dt.datetime) -> list[due.NoticeCandidate]:
    return sorted(due.requirements(People(), instant), key=lambda row: row.key)


def candidates_anew(instant: dt.datetime) -> list[due.NoticeCandidate]:
    cache.clear()
    return candidates(instant)


def test_what_is_kept_of_a_system_is_told_until_something_changes(house, monkeypatch):
    judged: list[int] = []
    judge = due._due_of

    def counted(systems, instant):
        judged.append(len(systems))
        return judge(systems, instant)

    monkeypatch.setattr(due, "_due_of", counted)
    instant = clock.now() + 60 * DAY
    requirement = house.requirement()
    keep_standings(instant)
    first = candidates_anew(instant)
    assert first
    assert judged == [0, 1]  # nothing is marked; of one system nothing was kept

    assert candidates(instant) == first
    assert judged == [0, 1, 0]

    link = submitted(house, requirement=requirement)  # it is marked until it is kept
    now_waiting = candidates(instant)
    assert judged[3:] == [1]
    keep_standings(instant)
    assert candidates(instant) == now_waiting == candidates_anew(instant)

    link.accept(by=house.rita)
    accepted = candidates(instant)
    keep_standings(instant)
    assert candidates(instant) == accepted == candidates_anew(instant)

    later = instant + 40 * DAY  # another day is judged by itself
    assert candidates(later) == candidates_anew(later)


def test_ac_03_people_are_looked_up_in_each_run(house):
    instant = clock.now() + 60 * DAY
    keep_standings(instant)
    told = {user for row in candidates(instant) for user in row.users}
    assert house.alice.pk in told
    house.alice.memberships.update(ends_at=clock.now())
    told = {user for row in candidates(instant) for user in row.users}
    assert house.alice.pk not in told
