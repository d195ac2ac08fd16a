"""Several controls under one ask from a day on, and apart again (R11, R14, R18, R31).

One file: each story begins with the same two monthly asks.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.errors import NotPermitted, Refused, StaleVersion, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, BaselineControl, RetrospectiveChange, Role
from controls.retrospect import approve
from evidence.models import EvidenceRequirement, Proof, RequirementControl
from evidence.planning.asks import with_newest_links
from evidence.planning.open_periods import open_periods_of
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joined import rows_under
from evidence.requirements.joining import add_control, join, join_to, split
from evidence.requirements.terms import show_todays_terms
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

DAY = dt.timedelta(days=1)
JOINED = TODAY + 8 * DAY  # 1 December
TERMS = AskTerms("Patches and inventory", "monthly", "operation", grace_days=10)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    found.people["otto2"] = houses.person("second")
    houses.give(found, "otto2", Role.OFFICER)
    for ref_id in ("cm-8", "si-2"):
        row = found.requirement(ref_id)
        row.operates_from = found.system.window_start
        row.save(update_fields=["operates_from"])
    return found


def row_of(house: House, ref_id: str) -> RequirementControl:
    return RequirementControl.objects.select_related("ask", "system").get(
        system=house.system, implementation__control__ref_id=ref_id
    )


def lines(house: House, *ref_ids: str) -> list[NamedControl]:
    return [
        NamedControl(row_of(house, ref_id).uuid, f"The part about {ref_id}")
        for ref_id in ref_ids or ("cm-8", "si-2")
    ]


def joined(house: House, **changes: Any) -> Any:
    stated = {
        "terms": TERMS,
        "lines": lines(house),
        "from_day": JOINED,
        "by": house.olivia,
        "today": TODAY,
    }
    return join(house.system, **stated | changes)


def gathered(house: House, known_at: dt.datetime) -> list[Any]:
    """All facts of yesterday, and of a window that ended yesterday."""
    pks = list(house.system.implementations.order_by("pk").values_list("pk", flat=True))
    yesterday, moment = TODAY - DAY, Moment(TODAY - DAY)
    window = (house.system.window_start, yesterday)
    return [
        repr(gather(house.system, pks, moment).facts),
        repr(gather_period(house.system, pks, *window, Moment(TODAY))),
        repr(gather_period(house.system, pks, *window, Moment(TODAY, known_at))),
        list(Proof.objects.order_by("pk").values_list()),
    ]


def test_r11_facts_of_past_days_are_the_same_byte_for_byte(house):
    """R11: joining begins on its day; facts, proof and history before stay."""
    houses.submitted(house).accept(by=house.rita)
    houses.submitted(house, "other", requirement=row_of(house, "si-2"))
    known_at = knowledge_now()
    before = gathered(house, known_at)
    with connection.cursor() as cursor:
        history = "SELECT * FROM evidence_requirementterms_history ORDER BY 1"
        cursor.execute(history)
        kept = cursor.fetchall()
    ask = joined(house)
    assert gathered(house, known_at) == before
    with connection.cursor() as cursor:
        cursor.execute(history)
        assert cursor.fetchall()[: len(kept)] == kept
    assert rows_under(ask, JOINED - DAY) == []
    assert [row.implementation.control.label for row in rows_under(ask, JOINED)] == [
        "CM-8",
        "SI-2",
    ]
    row = row_of(house, "si-2")
    assert row.what_it_shows == "The part about si-2"
    assert row.joined is None
    show_todays_terms(house.system, JOINED)
    row.refresh_from_db()
    assert (row.joined, row.title) == (ask, "Patches and inventory")
    events = AuditEvent.objects.filter(verb="requirement.joined")
    assert events.count() == 2
    assert str(ask.uuid) in events[0].body


def test_r11_what_was_performed_in_the_period_of_the_day_is_not_asked_twice(house):
    """R14: November was brought for CM-8 before the two became one; SI-2's is open."""
    houses.submitted(house).accept(by=house.rita)
    joined(house, from_day=TODAY + DAY)
    december = dt.date(2026, 12, 1)
    asked = RequirementControl.objects.filter(system=house.system)
    rows = with_newest_links(asked.select_related("system"), december)
    opened = open_periods_of(rows, december)
    november = dt.date(2026, 11, 1)
    brought = row_of(house, "cm-8").pk
    assert november not in {period.first for period in opened[brought]}
    other = row_of(house, "si-2").pk
    assert november in {period.first for period in opened[other]}


def test_r11_every_row_that_does_not_fit_is_named_at_once(house):
    """R11, R18: no row is joined when one may not be, and each has its sentence."""
    BaselineControl.objects.filter(control__ref_id="si-2").update(
        parameters={"si-02_odp.01": "at least monthly"}
    )
    said = [
        NamedControl(row_of(house, "si-2").uuid, " "),
        NamedControl(row_of(house, "ac-1").uuid, "The policy as approved"),
        *lines(house, "cm-8"),
    ]
    terms = AskTerms("All of it", "quarterly", "operation")
    with pytest.raises(Refused) as refusal:
        joined(house, terms=terms, lines=said)
    text = " ".join(refusal.value.messages)
    assert "what in it proves SI-2" in text
    assert "SI-2 is to be shown monthly" in text
    assert "AC-1 is to show design" in text
    assert EvidenceRequirement.objects.filter(joined_terms__isnull=False).count() == 0


def test_twenty_rows_are_judged_by_as_many_statements_as_two(house):
    """R11: what each of them says from the day on is read at once."""
    target = row_of(house, "ac-1").implementation
    two = lines(house)
    more = [factories.ask_for(target, f"{n}", operates_from=TODAY) for n in range(18)]
    twenty = two + [NamedControl(row.uuid, "A part") for row in more]
    terms = AskTerms("All of it", "monthly", "design")
    counts = []
    for named in (two, twenty):
        with CaptureQueriesContext(connection) as statements:
            with pytest.raises(Refused) as refusal:
                joined(house, terms=terms, lines=named)
        assert str(refusal.value).count("needs an ask of its own") == len(named)
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (AskTerms("X", "per-event", "operation"), "populations of its own"),
        (AskTerms(" ", "monthly", "operation"), "what is asked"),
        (AskTerms("X", "monthly", "operation", grace_days=16), "at most 15 days"),
        (AskTerms("X", "once", "operation"), "not only once"),
    ],
)
def test_r11_terms_that_no_ask_may_have(house, terms, sentence):
    """R11, R12: per event, without a title, with long grace, once instead of often."""
    with pytest.raises(Refused, match=sentence):
        joined(house, terms=terms)


def test_r11_who_may_and_from_when(house):
    """R31, R32: officers; a stale preview and a joined row are refused."""
    with pytest.raises(NotPermitted):
        joined(house, by=house.alice)
    with pytest.raises(Refused, match="at least two"):
        joined(house, lines=lines(house, "cm-8"))
    with pytest.raises(Refused, match="first day"):
        joined(house, from_day=dt.date(2001, 1, 1))
    seen = [
        NamedControl(line.requirement, line.what_it_shows, version=99)
        for line in lines(house)
    ]
    with pytest.raises(StaleVersion):
        joined(house, lines=seen)
    joined(house)
    with pytest.raises(Refused, match="stands under an ask with others"):
        joined(house)


def test_r32_an_earlier_day_waits_for_a_second_officer(house):
    """R31, R32: nothing is joined until another officer approves."""
    early = TODAY - 60 * DAY
    change = joined(house, from_day=early, reason="One file has shown both since then")
    assert isinstance(change, RetrospectiveChange)
    assert row_of(house, "cm-8").ask.terms.count() == 1
    with pytest.raises(NotPermitted):
        approve(change, by=house.olivia, today=TODAY)
    approve(change, by=house.otto2, today=TODAY)
    row = row_of(house, "cm-8")
    held = row.ask.terms.get(days__startswith=early)
    assert (held.change, held.joined, row.joined) == (change, row.joined, held.joined)
    assert {r.pk for r in rows_under(row.joined, early)} == {
        row.pk,
        row_of(house, "si-2").pk,
    }


def test_r11_split_again_each_says_what_it_said_before(house):
    """R11, R31: the days of the joined ask stay; the words of before come back."""
    ask = joined(house, from_day=TODAY)
    title = row_of(house, "cm-8").ask.terms.order_by("days")[0].title
    with pytest.raises(TransitionNotAllowed):
        split(
            ask,
            [row_of(house, "ac-1").uuid],
            from_day=JOINED,
            by=house.olivia,
            today=TODAY,
        )
    said = {"by": house.olivia, "today": TODAY}
    assert split(ask, [row_of(house, "cm-8").uuid], from_day=JOINED, **said) is None
    assert len(rows_under(ask, JOINED - DAY)) == 2
    assert [row.implementation.control.label for row in rows_under(ask, JOINED)] == [
        "SI-2"
    ]
    held = row_of(house, "cm-8").ask.terms.in_force(JOINED).get()
    assert (held.title, held.joined) == (title, None)
    early = (
        split(
            ask, [row_of(house, "si-2").uuid], from_day=TODAY - DAY, reason="x", **said
        )
        if rows_under(ask, TODAY - DAY)
        else None
    )
    assert early is None


def test_r32_split_from_an_earlier_day_waits_for_a_second_officer(house):
    """R31, R32: and is refused where the row was changed since it was asked for."""
    ask = joined(house, from_day=TODAY - DAY, reason="So since then")
    approve(ask, by=house.otto2, today=TODAY)
    under = row_of(house, "cm-8").joined
    said = {"by": house.olivia, "today": TODAY, "reason": "Never so"}
    named = [row_of(house, "cm-8").uuid]
    request = split(under, named, from_day=TODAY - DAY, **said)
    assert isinstance(request, RetrospectiveChange)
    assert row_of(house, "cm-8").joined == under
    change(house, row_of(house, "cm-8"), title="Other words")
    with pytest.raises(TransitionNotAllowed, match="changed since"):
        approve(request, by=house.otto2, today=TODAY)
    again = split(under, named, from_day=TODAY - DAY, **said | {"reason": "Again"})
    assert isinstance(again, RetrospectiveChange)
    approve(again, by=house.otto2, today=TODAY)
    assert row_of(house, "cm-8").joined is None


def test_r11_a_control_is_named_later_from_its_day(house):
    """R11: expected from its day on, by what the ask says, R18 holds for it too."""
    ask = joined(house, from_day=TODAY)
    control = factories.implementation(house.system, "pe-3")
    said = {"by": house.olivia, "today": TODAY}
    with pytest.raises(Refused, match="what in it proves PE-3"):
        add_control(ask, control, " ", from_day=JOINED, **said)
    row = add_control(ask, control, "The list of badges", from_day=JOINED, **said)
    assert (row.operates_from, row.joined) == (JOINED, None)
    assert row in rows_under(ask, JOINED)
    with pytest.raises(Refused, match="one of its controls already"):
        add_control(ask, control, "The list of badges", from_day=JOINED, **said)
    held = row.ask.terms.in_force(JOINED).get()
    assert (held.title, held.cadence) == ("Patches and inventory", "monthly")


def test_r11_a_row_is_put_under_an_ask_that_is_there(house):
    """R11: also where that ask says something else from a later day on."""
    ask = joined(house, from_day=TODAY)
    other = factories.ask_for(
        factories.implementation(house.system, "pe-3"),
        "Badges",
        operates_from=TODAY,
        owner_team=house.team,
    )
    later = TODAY + 20 * DAY
    row = row_of(house, "cm-8")
    change(house, row, title="Patches, inventory and badges", from_day=later)
    said = {"from_day": JOINED, "by": house.olivia, "today": TODAY}
    join_to(ask, [NamedControl(other.uuid, "The list of badges")], **said)
    titles = [terms.title for terms in other.ask.terms.order_by("days")]
    assert titles == [
        "Badges",
        "Patches and inventory",
        "Patches, inventory and badges",
    ]
    assert len(rows_under(ask, later)) == 3


def test_r14_one_ask_has_no_more_controls_than_somebody_reads(house, monkeypatch):
    """R14: neither at once nor one after the other; the page says how many, and why."""
    monkeypatch.setattr("evidence.requirements.joining.MAX_CONTROLS", 2)
    ask = joined(house, from_day=TODAY)
    control = factories.implementation(house.system, "pe-3")
    other = factories.ask_for(control, "Badges", operates_from=TODAY)
    line = NamedControl(other.uuid, "The list of badges")
    stated = {"from_day": JOINED, "by": house.olivia, "today": TODAY}
    with pytest.raises(Refused, match="at most 100 controls, since a reviewer"):
        join_to(ask, [line], **stated)
    with pytest.raises(Refused, match="at most 100 controls, since a reviewer"):
        add_control(ask, control, "The list of badges", **stated)
    with pytest.raises(Refused, match="at most 100 controls, since a reviewer"):
        joined(house, lines=[*lines(house), line])
    client = Client()
    client.force_login(house.olivia)
    page = client.get(reverse("evidence:join_asks", args=[house.system.slug]))
    assert "at most 100 controls, so any family" in page.content.decode()


def test_r18_what_an_ask_says_later_fits_whoever_comes_to_it(house):
    """R11, R18: not rarer on any day to come than its control's own parameter, nor of
    the design only."""
    ask = joined(house, from_day=TODAY)
    later = TODAY + 40 * DAY
    row = row_of(house, "cm-8")
    change(
        house, row, cadence="yearly", purpose="design", grace_days=None, from_day=later
    )
    badges = factories.implementation(house.system, "pe-3")
    said = {"from_day": JOINED, "by": house.olivia, "today": TODAY}
    other = factories.ask_for(
        badges, "Badges", operates_from=TODAY, owner_team=house.team
    )
    named = [NamedControl(other.uuid, "The list of badges")]
    with pytest.raises(Refused, match=f"From {later} on: PE-3 is to show operation"):
        join_to(ask, named, **said)
    BaselineControl.objects.filter(control__ref_id="pe-3").update(
        parameters={"pe-03_odp.01": "at least monthly"}
    )
    with pytest.raises(Refused, match=f"From {later} on: PE-3 is to be shown monthly"):
        add_control(ask, badges, "The list of badges", **said)
    assert len(rows_under(ask, JOINED)) == 2


def test_r12_long_grace_of_an_ask_is_for_the_controls_it_named_then(house):
    """R12, R32: one officer does not give it to a further control."""
    ask = joined(house, from_day=TODAY)
    longer = change(house, row_of(house, "cm-8"), grace_days=20, reason="Auditors ask")
    approve(longer, by=house.otto2, today=TODAY)
    badges = factories.implementation(house.system, "pe-3")
    said = {"from_day": JOINED, "by": house.olivia, "today": TODAY}
    with pytest.raises(Refused, match="20 days of grace, more than one officer"):
        add_control(ask, badges, "The list of badges", **said)
    other = factories.ask_for(
        badges, "Badges", operates_from=TODAY, owner_team=house.team
    )
    with pytest.raises(Refused, match="20 days of grace, more than one officer"):
        join_to(ask, [NamedControl(other.uuid, "The list of badges")], **said)
    change(house, row_of(house, "cm-8"), grace_days=15)
    row = add_control(ask, badges, "The list of badges", **said)
    assert row.ask.terms.in_force(JOINED).get().grace_days == 15


def change(house: House, row: RequirementControl, **changes: Any) -> Any:
    from_day = changes.pop("from_day", TODAY)
    reason = changes.pop("reason", "")
    stated = {
        name: getattr(NewTerms.stated_by(row), name)
        for name in NewTerms.__dataclass_fields__
    }
    new = NewTerms(**stated | changes)
    return change_requirement(
        row,
        new,
        version=None,
        by=house.olivia,
        today=TODAY,
        from_day=from_day,
        reason=reason,
    )


def test_r11_one_ask_has_the_same_terms_for_all_its_controls(house):
    """R11, R18: a change of one row is a change of the ask; the database holds it."""
    ask = joined(house, from_day=TODAY)
    change(house, row_of(house, "cm-8"), cadence="weekly", grace_days=2)
    assert {row.cadence for row in rows_under(ask, TODAY)} == {"weekly"}
    assert AuditEvent.objects.filter(verb="requirement.changed").count() == 2
    BaselineControl.objects.filter(control__ref_id="si-2").update(
        parameters={"si-02_odp.01": "at least monthly"}
    )
    with pytest.raises(Refused, match="SI-2 is to be shown monthly"):
        change(house, row_of(house, "cm-8"), cadence="quarterly", grace_days=2)
    with (
        pytest.raises(IntegrityError, match="joined_terms_say_the_same"),
        transaction.atomic(),
    ):
        held = row_of(house, "si-2").ask.terms.in_force(TODAY).get()
        held.cadence = "yearly"
        held.save()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
