"""R31, R32: what held before today is changed by two officers, as known from then."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from controls import retrospect
from controls.errors import (
    NotPermitted,
    Refused,
    StaleVersion,
    TransitionNotAllowed,
)
from controls.models import AuditEvent, RetrospectiveChange, System, User

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 16)
APRIL = dt.date(2026, 4, 1)


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Bodies of the changes of the kind "colour" that were carried out."""
    done: list[dict[str, str]] = []
    monkeypatch.setattr(retrospect, "_KINDS", dict(retrospect._KINDS))

    @retrospect.applies("colour", name="Colour of a control")
    def paint(change: RetrospectiveChange, *, by: User, today: dt.date) -> None:
        if change.body["colour"] == "none":
            raise Refused("There is no such colour.")
        done.append(change.body)

    return done


def asked(
    system: System, by: User, colour: str = "blue", first_day: dt.date = APRIL
) -> RetrospectiveChange:
    return retrospect.request_change(
        system,
        kind="colour",
        body={"colour": colour},
        first_day=first_day,
        reason="It was typed wrongly.",
        by=by,
        today=TODAY,
    )


def test_it_is_carried_out_once_another_officer_approves(
    system, oscar, olga, carried
) -> None:
    """R31: request and approval are one event each; nothing holds before."""
    change = asked(system, oscar)
    assert carried == []

    retrospect.approve(change, by=olga, today=TODAY, version=1)

    assert carried == [{"colour": "blue"}]
    assert (change.state, change.decided_by) == ("approved", olga)
    assert change.version == 2
    assert change.decided_at is not None
    verbs = AuditEvent.objects.of_subject(change).values_list("verb", flat=True)
    assert list(verbs) == [
        "retrospective-change.requested",
        "retrospective-change.approved",
    ]


def test_a_refused_one_changes_nothing(system, oscar, olga, carried) -> None:
    change = asked(system, oscar)
    retrospect.refuse(change, by=olga, today=TODAY)
    assert (change.state, carried) == ("refused", [])
    with pytest.raises(TransitionNotAllowed, match="already decided"):
        retrospect.approve(change, by=olga, today=TODAY)


def test_the_second_person_is_never_who_asked(system, oscar, olga, carried) -> None:
    """R32: by the verb, and by the database whatever a program does."""
    change = asked(system, oscar)
    with pytest.raises(NotPermitted):
        retrospect.approve(change, by=oscar, today=TODAY)
    rows = RetrospectiveChange.objects.filter(pk=change.pk)
    with pytest.raises(DatabaseError, match="by_another"), transaction.atomic():
        rows.update(state="approved", decided_by=oscar, decided_at=change.known_from)
    assert rows.get().state == "requested"


def test_only_officers_ask_and_decide(system, oscar, alice, rita, carried) -> None:
    """R32: a contributor and a reviewer do neither."""
    with pytest.raises(NotPermitted):
        asked(system, alice)
    change = asked(system, oscar)
    for person in (alice, rita):
        with pytest.raises(NotPermitted):
            retrospect.approve(change, by=person, today=TODAY)
        with pytest.raises(NotPermitted):
            retrospect.refuse(change, by=person, today=TODAY)
    assert carried == []


@pytest.mark.parametrize(
    ("first_day", "refused"),
    [
        (dt.date(2025, 12, 31), "first day"),
        (dt.date(2026, 1, 1), ""),
        (dt.date(2026, 11, 15), ""),
        (TODAY, "one officer"),
    ],
)
def test_it_begins_within_the_systems_past(
    first_day, refused, system, oscar, carried
) -> None:
    """R31: not before the system's first day (1 January), and before today."""
    if not refused:
        assert asked(system, oscar, first_day=first_day).first_day == first_day
        return
    with pytest.raises(Refused, match=refused):
        asked(system, oscar, first_day=first_day)


def test_it_lapses_after_thirty_days(system, oscar, olga, carried) -> None:
    """R31: decided on day 30 it holds; on day 31 it has lapsed, job or no job."""
    change = asked(system, oscar)
    late = TODAY + dt.timedelta(days=31)
    with pytest.raises(TransitionNotAllowed, match="2026-12-16"):
        retrospect.approve(change, by=olga, today=late)

    assert retrospect.lapse_undecided(system, late - dt.timedelta(days=1)) == 0
    assert retrospect.lapse_undecided(system, late) == 1
    change.refresh_from_db()
    assert (change.state, change.decided_by) == ("lapsed", None)
    with pytest.raises(TransitionNotAllowed, match="lapsed"):
        retrospect.approve(change, by=olga, today=TODAY)
    again = asked(system, oscar)
    retrospect.approve(again, by=olga, today=late - dt.timedelta(days=1))
    assert carried == [{"colour": "blue"}]


def test_what_cannot_be_carried_out_stays_asked(system, oscar, olga, carried) -> None:
    """The refusal of a kind undoes the approval with it."""
    change = asked(system, oscar, "none")
    with pytest.raises(Refused, match="no such colour"):
        retrospect.approve(change, by=olga, today=TODAY)
    change.refresh_from_db()
    assert (change.state, change.version) == ("requested", 1)
    assert not AuditEvent.objects.filter(verb="retrospective-change.approved").exists()


def test_a_stale_page_decides_nothing(system, oscar, olga, carried) -> None:
    change = asked(system, oscar)
    with pytest.raises(StaleVersion):
        retrospect.approve(change, by=olga, today=TODAY, version=7)
    assert carried == []


def test_a_kind_that_nobody_carries_out_is_no_request(system, oscar) -> None:
    with pytest.raises(LookupError):
        asked(system, oscar)
