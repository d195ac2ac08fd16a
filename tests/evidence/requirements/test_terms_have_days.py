"""What is asked holds on days: pages and API change it from a day on, or ask a second
officer (R11, R12, R13, R18, R31, R32).

One file: each story changes the same ask by the same two doors.
"""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from controls.errors import Refused, TransitionNotAllowed
from controls.models import AuditEvent, BaselineControl, RetrospectiveChange, Role
from controls.retrospect import approve
from evidence.models import Cadence, Proof, RequirementControl, RequirementTerms
from evidence.models.proof import NO_END
from evidence.requirements.changes import (
    NewTerms,
    add_requirement,
    change_requirement,
)
from evidence.requirements.retiring import retire_requirement
from evidence.requirements.terms import show_todays_terms
from evidence.status import cadence
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

DAY = dt.timedelta(days=1)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    found.people["otto2"] = houses.person("second")
    houses.give(found, "otto2", Role.OFFICER)
    return found


@pytest.fixture
def asked(house) -> RequirementControl:
    """CM-8, monthly with ten days of grace, since the window's first day."""
    found = house.requirement()
    found.operates_from = house.system.window_start
    found.save(update_fields=["operates_from"])
    return found


def terms(asked: RequirementControl, **changes: Any) -> NewTerms:
    stated = {
        "title": asked.title,
        "cadence": asked.cadence,
        "purpose": asked.purpose,
        "operates_from": asked.operates_from,
        "guidance": asked.guidance,
        "good_proof": asked.good_proof,
        "owner_team": asked.owner_team,
        "grace_days": asked.grace_days,
        "lead_days": asked.lead_days,
        "rarer_because": "Two hosts",
    }
    return NewTerms(**stated | changes)


def change(asked: RequirementControl, house: House, **changes: Any) -> Any:
    clock = {
        name: changes.pop(name) for name in ("from_day", "reason") if name in changes
    }
    new = terms(asked, **changes)
    return change_requirement(
        asked, new, version=None, by=house.olivia, today=TODAY, **clock
    )


def days_of(asked: RequirementControl) -> list[tuple[Any, Any, str]]:
    rows = asked.ask.terms.order_by("days")
    return [(row.first_day, row.last_day, row.cadence) for row in rows]


def form(asked: RequirementControl, **changes: Any) -> dict[str, Any]:
    stated = {
        "title": asked.title,
        "cadence": asked.cadence,
        "purpose": asked.purpose,
        "operates_from": str(asked.operates_from),
        "grace_days": asked.grace_days,
        "version": asked.version,
        "rarer_because": "Two hosts",
    }
    return stated | {name: str(value) for name, value in changes.items()}


# --- R11: one ask above each row --------------------------------------------------


def test_r11_each_row_has_an_ask_of_its_own_with_terms_of_all_days(house):
    """R11: templates make them in bulk; the row repeats the terms."""
    rows = list(RequirementControl.objects.filter(system=house.system))
    assert len({row.ask_id for row in rows}) == len(rows)
    for row in rows:
        (held,) = row.ask.terms.all()
        assert (held.first_day, held.last_day) == (None, None)
        assert (held.title, held.cadence) == (row.title, row.cadence)


def test_r11_of_one_ask_one_row_of_terms_holds_on_a_day(asked):
    """R11, R31: the database refuses a second one, by its own constraint."""
    (held,) = asked.ask.terms.all()
    copy = RequirementTerms(
        ask=asked.ask,
        days=DateRange(TODAY, None),
        title="Other",
        cadence="weekly",
        grace_days=2,
    )
    with (
        pytest.raises(IntegrityError, match="terms_one_in_force"),
        transaction.atomic(),
    ):
        copy.save()
    assert list(asked.ask.terms.all()) == [held]


# --- R31: from a day on -----------------------------------------------------------


def test_r31_one_officer_changes_it_from_today_on_the_page(client, house, asked):
    """R31: the old terms end the day before, the row shows the new ones."""
    client.force_login(house.olivia)
    url = reverse("evidence:requirement_edit", args=["shop", asked.uuid])
    assert (
        client.post(url, form(asked, cadence="weekly", grace_days=2)).status_code == 302
    )
    assert days_of(asked) == [
        (None, TODAY - DAY, "monthly"),
        (TODAY, None, "weekly"),
    ]
    asked.refresh_from_db()
    assert asked.cadence == "weekly"
    text = " ".join(client.get(url).content.decode().split())
    assert f"From {TODAY} until further notice:" in text
    assert f"Stated on {TODAY} by Olivia" in text


def test_r31_a_later_day_is_shown_when_it_comes(house, asked):
    """R31: until then the row keeps today's terms; the daily task turns it."""
    assert (
        change(asked, house, cadence="weekly", grace_days=2, from_day=TODAY + 7 * DAY)
        is None
    )
    asked.refresh_from_db()
    assert asked.cadence == "monthly"
    assert show_todays_terms(house.system, TODAY + 6 * DAY) == 0
    assert show_todays_terms(house.system, TODAY + 7 * DAY) == 1
    asked.refresh_from_db()
    assert asked.cadence == "weekly"


def test_r31_new_terms_replace_those_stated_for_later_days(house, asked):
    """R31: they hold until further notice."""
    change(asked, house, cadence="weekly", grace_days=2, from_day=TODAY + 7 * DAY)
    asked.refresh_from_db()
    change(asked, house, cadence="quarterly", from_day=TODAY + DAY)
    assert days_of(asked) == [
        (None, TODAY, "monthly"),
        (TODAY + DAY, None, "quarterly"),
    ]


def test_r31_an_earlier_day_waits_for_a_second_officer(client, house, asked):
    """R31, R32: on the page; refused without a reason, never done by who asked."""
    client.force_login(house.olivia)
    url = reverse("evidence:requirement_edit", args=["shop", asked.uuid])
    early = form(asked, cadence="weekly", grace_days=2, from_day=TODAY - 60 * DAY)
    assert client.post(url, early).status_code == 422
    answer = client.post(url, early | {"reason": "Was so already"}, follow=True)
    assert "a second officer has to decide" in answer.content.decode()
    assert days_of(asked) == [(None, None, "monthly")]
    request = RetrospectiveChange.objects.get()
    with pytest.raises(ValidationError):
        approve(request, by=house.olivia, today=TODAY)
    approve(request, by=house.otto2, today=TODAY)
    assert days_of(asked) == [
        (None, TODAY - 61 * DAY, "monthly"),
        (TODAY - 60 * DAY, None, "weekly"),
    ]
    assert [row.change_id for row in asked.ask.terms.order_by("days")] == [
        None,
        request.pk,
    ]
    event = AuditEvent.objects.filter(verb="requirement.changed").latest("pk")
    assert str(request.uuid) in event.body


def test_r31_the_day_it_is_asked_from_is_moved_by_two(house, asked):
    """R31: ten missed months do not vanish by moving the first day."""
    request = change(asked, house, operates_from=TODAY, reason="It began today")
    assert request is not None
    assert request.first_day == house.system.window_start
    asked.refresh_from_db()
    assert asked.operates_from == house.system.window_start
    approve(request, by=house.otto2, today=TODAY)
    asked.refresh_from_db()
    assert asked.operates_from == TODAY


def test_r31_what_was_changed_since_is_not_overwritten(house, asked):
    """R31: an approval decides from the row as it was when it was asked for."""
    request = change(
        asked, house, cadence="weekly", from_day=TODAY - 9 * DAY, reason="Was so"
    )
    change(asked, house, title="Reconciliation of hosts")
    with pytest.raises(TransitionNotAllowed, match="changed since"):
        approve(request, by=house.otto2, today=TODAY)
    assert RetrospectiveChange.objects.get().state == "requested"


def test_r31_a_first_statement_may_name_an_earlier_day(client, house, asked):
    """R31: not before the system's first day; the API says when it was made."""
    early = house.system.window_start
    new = terms(asked, title="Second look", operates_from=early)
    added = add_requirement(asked.implementation, new, by=house.olivia)
    with pytest.raises(Refused, match="first day"):
        add_requirement(
            asked.implementation,
            terms(asked, operates_from=dt.date(2001, 1, 1)),
            by=house.olivia,
        )
    client.force_login(house.olivia)
    body = client.get(f"/api/v1/requirements/{added.uuid}/").json()
    assert (body["operates_from"], body["stated_on"]) == (str(early), str(TODAY))


# --- R12, R11: long grace, the last ask --------------------------------------------


def test_r12_grace_longer_than_half_the_period_needs_two(client, house, asked):
    """R12, R32: over the API, whatever the day; 15 days a month are one officer's."""
    assert change(asked, house, grace_days=15) is None
    asked.refresh_from_db()
    client.force_login(house.olivia)
    url = f"/api/v1/requirements/{asked.uuid}/"
    body = {
        "title": asked.title,
        "cadence": "monthly",
        "purpose": "operation",
        "operates_from": str(asked.operates_from),
        "grace_days": 16,
        "reason": "The vendor answers late",
    }
    answer = client.put(
        url,
        body,
        content_type="application/json",
        headers={"If-Match": client.get(url)["ETag"]},
    )
    assert answer.status_code == 202
    assert answer.json()["kind"] == "long-grace"
    asked.refresh_from_db()
    assert asked.grace_days == 15
    approve(RetrospectiveChange.objects.get(), by=house.otto2, today=TODAY)
    asked.refresh_from_db()
    assert asked.grace_days == 16
    assert change(asked, house, title="Same grace, other words") is None


def test_r12_long_grace_is_not_stated_at_first(house, asked):
    """R12: it is added with at most half the period."""
    with pytest.raises(Refused, match="at most 15 days"):
        add_requirement(
            asked.implementation, terms(asked, grace_days=16), by=house.olivia
        )


def test_r11_the_last_ask_of_a_half_is_retired_by_two(client, house, asked):
    """R11, R32: whatever the day; a second ask leaves it to one officer."""
    client.force_login(house.olivia)
    url = f"/api/v1/requirements/{asked.uuid}/retire/"
    body = {"until": str(TODAY + DAY), "reason": "Merged"}
    answer = client.post(url, body, content_type="application/json")
    assert (answer.status_code, answer.json()["kind"]) == (202, "retire-last")
    asked.refresh_from_db()
    assert asked.operates_until is None
    approve(RetrospectiveChange.objects.get(), by=house.otto2, today=TODAY)
    asked.refresh_from_db()
    assert asked.operates_until == TODAY + DAY


def test_r31_retired_from_an_earlier_day_by_two(house, asked):
    """R31: an early end is a change in retrospect."""
    factories.ask_for(
        asked.implementation, "Second look", operates_from=asked.operates_from
    )
    said = {"reason": "Merged", "by": house.olivia, "today": TODAY}
    request = retire_requirement(asked, until=TODAY - DAY, **said)
    assert request is not None and request.kind == "retire"
    approve(request, by=house.otto2, today=TODAY)
    asked.refresh_from_db()
    assert asked.operates_until == TODAY - DAY


def test_r18_the_api_asks_why_it_is_rarer_than_the_baseline(house, asked, client):
    """R18: refused without a reason, taken with one; the reason is shown."""
    BaselineControl.objects.filter(control__ref_id="cm-8").update(
        parameters={"cm-08_odp.02": "at least monthly"}
    )
    client.force_login(house.olivia)
    body = {
        "system": house.system.slug,
        "control_id": "cm-8",
        "title": "Parts compared",
        "cadence": "yearly",
        "operates_from": str(TODAY),
    }
    refused = client.post(reverse("requirement-list"), body, "application/json")
    assert refused.status_code == 400
    assert "at least monthly" in str(refused.json()["errors"])
    said = body | {"rarer_because": "Nothing changes there."}
    taken = client.post(reverse("requirement-list"), said, "application/json")
    assert taken.status_code == 201, taken.content
    assert taken.json()["rarer_because"] == "Nothing changes there."


def test_r18_a_rarer_cadence_needs_a_reason_from_whatever_day(house, asked):
    """R18: than the baseline's own parameter, also in retrospect."""
    BaselineControl.objects.filter(control__ref_id="cm-8").update(
        parameters={"cm-08_odp.02": "at least monthly"}
    )
    for from_day in (TODAY, TODAY - 9 * DAY):
        with pytest.raises(Refused, match="at least monthly"):
            change(
                asked,
                house,
                cadence="yearly",
                rarer_because="",
                from_day=from_day,
                reason="x",
            )


# --- R13: the end of proof follows the terms ----------------------------------------


def ends_of(link: Any, day: dt.date) -> dt.date:
    """The end of a link's proof for a day asked about."""
    return Proof.objects.holding_on(day).get(link=link).ends


def test_r13_a_change_writes_the_new_end_from_its_day_on(house, asked):
    """R13: monthly to weekly; days before keep the old end."""
    link = houses.submitted(house, requirement=asked)
    old = ends_of(link, TODAY)
    change(asked, house, cadence="weekly", grace_days=2, from_day=TODAY + 3 * DAY)
    following = max(link.occurrence_ends + DAY, TODAY + 3 * DAY)
    week = cadence.occurrence_of("weekly", following)
    assert ends_of(link, TODAY + 2 * DAY) == old
    assert ends_of(link, TODAY + 3 * DAY) == week + 8 * DAY
    link.accept(by=house.rita)
    assert ends_of(link, TODAY + 2 * DAY) == old
    assert ends_of(link, TODAY + 3 * DAY) == week + 8 * DAY


def test_r13_other_words_change_no_end(house, asked):
    """R13: a new title begins new terms, not a new cadence."""
    link = houses.submitted(house, requirement=asked)
    old = ends_of(link, TODAY)
    change(asked, house, title="Other words", from_day=TODAY + 90 * DAY)
    assert ends_of(link, TODAY + 91 * DAY) == old
    link.accept(by=house.rita)
    assert ends_of(link, TODAY + 91 * DAY) == old


OCCASIONS = st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31))


@pytest.mark.django_db
@hypothesis_settings(deadline=None, max_examples=120)
@given(
    names=st.lists(st.sampled_from(Cadence.values), min_size=1, max_size=4),
    performed=OCCASIONS,
    began=st.lists(OCCASIONS, min_size=3, max_size=3, unique=True),
    grace=st.integers(1, 40),
    own=st.integers(0, 200),
)
def test_r13_sql_and_rule_name_the_same_end(names, performed, began, grace, own):
    """R13: what is written into the proof table is what the pure rule says, however
    often the terms changed."""
    from evidence.models import proof

    own_ends = performed + own * DAY
    days = [None, *sorted(began)[: len(names) - 1]]
    terms = [
        (day, name, grace + n)
        for n, (day, name) in enumerate(zip(days, names, strict=True))
    ]
    rows = [
        f"(1, '{name}', {many}, daterange({_sql(day)}, {_sql(until)}))"
        for (day, name, many), until in zip(terms, [*days[1:], None], strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH evidence_requirementterms (ask_id, cadence, grace_days, days) AS ("
            f" VALUES {', '.join(rows)})"
            " SELECT carried.ends FROM (SELECT %(own)s::date AS occurrence_ends,"
            " NULL::date AS occurrence, %(performed)s::date AS proves_from) AS l"
            f" CROSS JOIN LATERAL (SELECT t.days, carried.ends {proof._TERMS_OF_LINK}"
            " WHERE upper_inf(t.days)) AS carried",
            {"own": own_ends, "performed": performed},
        )
        (ends,) = cursor.fetchone()
    assert ends == (cadence.proof_end_by(terms, own_ends, performed) or NO_END)


def _sql(day: dt.date | None) -> str:
    return f"'{day}'::date" if day else "NULL"


def test_r14_a_performance_answers_the_period_of_the_terms_on_its_last_day():
    """R14: also after the cadence was changed, and while it changes."""
    turn = dt.date(2026, 11, 16)
    on = cadence.cadence_by_day([(None, "monthly"), (turn, "quarterly")])
    quarter = (dt.date(2026, 10, 1), dt.date(2026, 12, 31))
    october = (dt.date(2026, 10, 1), dt.date(2026, 10, 31))
    assert cadence.period_holding(dt.date(2026, 10, 20), on) == october
    assert cadence.period_holding(dt.date(2026, 11, 10), on) == quarter
    assert cadence.period_holding(dt.date(2026, 12, 1), on) == quarter


def test_r12_half_the_period_is_the_longest_grace_of_one_officer():
    """R12, R16: nothing recurs, nothing bounds it; per event populations recur."""
    longest = {name: cadence.longest_grace(name) for name in Cadence.values}
    assert longest == {
        "once": None,
        "weekly": 3,
        "monthly": 15,
        "quarterly": 45,
        "half-yearly": 91,
        "yearly": 182,
        "per-event": 45,
    }
    for name, days in longest.items():
        assert days is None or cadence.default_grace(name) <= days
    assert len(list(itertools.chain(longest))) == len(Cadence.values)
