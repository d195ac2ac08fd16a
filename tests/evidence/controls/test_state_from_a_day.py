"""How far a control is holds on days; said of the past, it takes two officers.

One file: each story states the same control by the page and over the API.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.urls import reverse

from controls import retrospect
from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.implementation import describe
from controls.implementation_days import show_today
from controls.implementation_in_retrospect import request_status_change
from controls.models import (
    AuditEvent,
    ControlImplementation,
    ImplementationStatement,
    RetrospectiveChange,
    System,
    Team,
    User,
)
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 16)
APRIL = dt.date(2026, 4, 15)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def today(on_day: Any) -> None:
    """Pages and the API are asked on TODAY."""
    on_day(TODAY)


@pytest.fixture
def system(oscar: User, platform: Team) -> System:
    """Payments, in use since January, of which nobody has said how far it is."""
    return factories.make_system(oscar, team=platform, stated=False)


@pytest.fixture
def control(system: System) -> ControlImplementation:
    """AC-4 is ours alone."""
    return factories.implementation(system, "ac-4")


def page_url(control: ControlImplementation, view: str = "control") -> str:
    ref_id = control.control.ref_id
    return reverse(f"evidence:{view}", args=[control.system.slug, ref_id])


def say(browser: Any, control: ControlImplementation, **changes: Any) -> Any:
    control.refresh_from_db()
    body = {
        "implementation_status": "implemented",
        "stated_from": TODAY,
        "owner_team": control.owner_team_id,
        "customer_statement": control.customer_statement,
        "version": control.version,
    }
    return browser.post(page_url(control, "control_describe"), body | changes)


def patch(browser: Any, control: ControlImplementation, **said: Any) -> Any:
    url = f"/api/v1/systems/{control.system.slug}/controls/ac-4/"
    headers = {"If-Match": "*"}
    return browser.patch(url, said, "application/json", headers=headers)


def status_on(
    control: ControlImplementation, day: dt.date, known_at: dt.datetime | None = None
) -> str:
    """The status that the facts of a day hold."""
    moment = Moment(day, known_at)
    (answer,) = control_statuses(control.system, moment, pks=[control.pk])
    return answer.facts.implementation_status


def codes_on(control: ControlImplementation, day: dt.date) -> set[str]:
    (answer,) = control_statuses(control.system, Moment(day), pks=[control.pk])
    return {reason.code for reason in answer.status.reasons}


# --- not stated -----------------------------------------------------------------


def test_a_new_control_is_not_stated_and_never_proven(
    control: ControlImplementation, alice: User, rita: User, as_user: Any
) -> None:
    """R28: it starts as not stated, which caps the verdict at partly."""
    asked = factories.requirement(control.system, "ac-4")
    performed_on = TODAY - DAY
    link = factories.make_evidence(asked, by=alice, performed_on=performed_on)
    link.accept(by=rita)
    (answer,) = control_statuses(control.system, Moment(TODAY), pks=[control.pk])
    assert (answer.status.customer_half, answer.status.verdict) == ("proven", "partly")
    assert "not_stated" in {reason.code for reason in answer.status.reasons}
    page = as_user(alice).get(page_url(control)).content.decode()
    assert "How we do it: not stated" in page
    assert "Nobody has said how far it is implemented." in page

    say(as_user(alice), control)

    (answer,) = control_statuses(control.system, Moment(TODAY), pks=[control.pk])
    assert answer.status.verdict == "proven"


def test_nothing_is_asked_where_our_half_is_not_required(system: System) -> None:
    """R28: asked only where our half is required."""
    inherited = factories.implementation(system, "pe-13")
    assert inherited.responsibility == "inherited"
    assert "not_stated" not in codes_on(inherited, TODAY)


def test_that_it_is_not_stated_cannot_be_said(
    control: ControlImplementation, alice: User, as_user: Any
) -> None:
    assert say(as_user(alice), control, implementation_status="not-stated").status_code
    patched = patch(as_user(alice), control, part_statuses={"x": "planned"})
    assert patched.status_code == 400
    say(as_user(alice), control)
    again = patch(as_user(alice), control, implementation_status="not-stated")
    assert again.status_code == 400
    assert "the control itself" in json.dumps(again.json())
    assert status_on(control, TODAY) == "implemented"


def test_words_alone_state_nothing(
    control: ControlImplementation, alice: User, as_user: Any
) -> None:
    say(
        as_user(alice),
        control,
        implementation_status="",
        customer_statement="By hand.",
    )
    control.refresh_from_db()
    assert control.customer_statement == "By hand."
    assert not control.statements.exists()


# --- days -----------------------------------------------------------------------


def test_said_today_it_says_nothing_of_april(
    control: ControlImplementation, alice: User, as_user: Any
) -> None:
    """R31: what is said today holds from today on."""
    assert say(as_user(alice), control).status_code == 302
    assert status_on(control, TODAY) == "implemented"
    assert status_on(control, TODAY - DAY) == "not-stated"
    assert "not_stated" in codes_on(control, APRIL)
    page = as_user(alice).get(page_url(control), {"on": APRIL}).content.decode()
    assert "How we do it: not stated" in page


@pytest.mark.parametrize("door", ["page", "api"])
def test_the_first_statement_may_begin_earlier_and_shows_its_day(
    door: str, control: ControlImplementation, alice: User, as_user: Any
) -> None:
    """R31: the first statement of a fact is no change."""
    browser = as_user(alice)
    first = dt.date(2026, 1, 1)
    if door == "page":
        say(browser, control, stated_from=first)
    else:
        answer = patch(
            browser, control, implementation_status="implemented", stated_from=first
        )
        assert answer.status_code == 200, answer.content
    assert status_on(control, APRIL) == "implemented"
    (row,) = control.statements.all()
    assert (row.stated_on, row.stated_by, row.in_bulk) == (TODAY, alice, False)
    page = browser.get(page_url(control)).content.decode()
    assert "stated 2026-11-16 by Alice" in " ".join(page.split())


@pytest.mark.parametrize("door", ["page", "api"])
def test_no_statement_begins_before_the_system(
    door: str, control: ControlImplementation, alice: User, as_user: Any
) -> None:
    """R31: not before the system's first day."""
    early = dt.date(2025, 12, 31)
    if door == "page":
        answer = say(as_user(alice), control, stated_from=early)
        assert answer.status_code == 422
    else:
        answer = patch(
            as_user(alice),
            control,
            implementation_status="implemented",
            stated_from=early,
        )
        assert answer.status_code == 400
    assert "first day is 2026-01-01" in answer.content.decode()
    assert not ImplementationStatement.objects.exists()


@pytest.mark.parametrize("door", ["page", "api"])
def test_an_earlier_day_is_no_persons_alone_once_something_is_said(
    door: str, control: ControlImplementation, alice: User, as_user: Any
) -> None:
    """R31: an earlier day is a change in retrospect."""
    say(as_user(alice), control)
    if door == "page":
        answer = say(
            as_user(alice), control, implementation_status="partial", stated_from=APRIL
        )
        assert answer.status_code == 422
    else:
        answer = patch(
            as_user(alice),
            control,
            implementation_status="partial",
            stated_from=str(APRIL),
        )
        assert answer.status_code == 400
    assert "change in retrospect" in answer.content.decode()
    assert status_on(control, APRIL) == "not-stated"


def test_it_may_begin_later_and_then_shows_by_itself(
    control: ControlImplementation, alice: User, as_user: Any
) -> None:
    say(as_user(alice), control, implementation_status="planned")
    later = TODAY + 30 * DAY
    say(as_user(alice), control, stated_from=later)
    assert status_on(control, later - DAY) == "planned"
    assert status_on(control, later) == "implemented"
    control.refresh_from_db()
    assert control.implementation_status == "planned"
    assert show_today([control], later) == [control]
    control.refresh_from_db()
    assert control.implementation_status == "implemented"
    say(as_user(alice), control, implementation_status="partial")
    assert status_on(control, later) == "implemented"  # to the next that is said


def test_said_twice_from_one_day_the_later_counts_and_the_earlier_is_known(
    control: ControlImplementation, alice: User, as_user: Any
) -> None:
    say(as_user(alice), control, implementation_status="partial")
    before = knowledge_now()
    say(as_user(alice), control)
    assert status_on(control, TODAY) == "implemented"
    assert status_on(control, TODAY, before) == "partial"
    assert control.statements.count() == 1


def test_the_event_names_the_day(
    control: ControlImplementation, alice: User, as_user: Any
) -> None:
    say(as_user(alice), control, stated_from=APRIL)
    body = json.loads(AuditEvent.objects.get(verb="implementation.described").body)
    assert body["stated_from"] == "2026-04-15"
    assert body["before"] == {"implementation_status": "not-stated"}
    assert body["after"] == {"implementation_status": "implemented"}


def test_the_admin_says_it_from_today_on(
    control: ControlImplementation, as_user: Any
) -> None:
    """R31: a third door with the same verb, and the same refusal of stale forms."""
    change = "admin:controls_controlimplementation_change"
    body = {
        "owner_team": control.owner_team_id,
        "implementation_status": "planned",
        "customer_statement": "",
        "seen_version": control.version,
    }
    desk = as_user(factories.administrator())
    answer = desk.post(reverse(change, args=[control.pk]), body)
    assert answer.status_code == 302
    assert status_on(control, TODAY) == "planned"
    assert status_on(control, TODAY - DAY) == "not-stated"
    desk.post(
        reverse(change, args=[control.pk]),
        body | {"implementation_status": "implemented"},
    )
    assert status_on(control, TODAY) == "planned"


# --- in retrospect --------------------------------------------------------------


def ask(browser: Any, control: ControlImplementation, door: str) -> Any:
    """Ask that it was partial from 15 April on."""
    said = {"implementation_status": "partial", "reason": "We found a gap."}
    said["first_day"] = str(APRIL)
    if door == "page":
        return browser.post(page_url(control, "status_in_retrospect"), said)
    url = f"/api/v1/systems/{control.system.slug}/implementation-status/earlier/"
    said_of = {"control_ids": ["ac-4"]}
    return browser.post(url, said | said_of, "application/json")


def test_of_two_that_wait_the_second_is_asked_for_again(
    control: ControlImplementation, oscar: User, olga: User, as_user: Any
) -> None:
    """R31, R32: "implemented" was asked for before "partial" was agreed to: who
    approves both in turn is told what was said meanwhile."""
    say(as_user(oscar), control, stated_from=dt.date(2026, 1, 1))
    again = retrospect_of(control, "planned", by=oscar)
    assert ("What was said", "Implemented: AC-4") in retrospect.kind_of(again).explain(
        again
    )
    ask(as_user(oscar), control, "page")
    partial = RetrospectiveChange.objects.latest("pk")
    retrospect.approve(partial, by=olga, today=TODAY)
    with pytest.raises(TransitionNotAllowed, match="Something else was said"):
        retrospect.approve(again, by=olga, today=TODAY)
    assert status_on(control, APRIL) == "partial"


def retrospect_of(
    control: ControlImplementation, status: str, *, by: User
) -> RetrospectiveChange:
    return request_status_change(
        control.system,
        [control.control.ref_id],
        status=status,
        first_day=APRIL,
        reason="Read again.",
        by=by,
        today=TODAY,
    )


@pytest.mark.parametrize("door", ["page", "api"])
def test_an_earlier_day_takes_two_officers(
    door: str,
    control: ControlImplementation,
    oscar: User,
    olga: User,
    as_user: Any,
) -> None:
    """R31, R32: known from the approval on, and marked."""
    say(as_user(oscar), control, stated_from=dt.date(2026, 1, 1))
    assert ask(as_user(oscar), control, door).status_code in {201, 302}
    change = RetrospectiveChange.objects.get()
    assert status_on(control, APRIL) == "implemented"
    before = knowledge_now()

    retrospect.approve(change, by=olga, today=TODAY)

    assert status_on(control, APRIL) == status_on(control, TODAY) == "partial"
    assert status_on(control, APRIL - DAY) == "implemented"
    assert status_on(control, APRIL, before) == "implemented"
    control.refresh_from_db()
    assert control.implementation_status == "partial"
    changed = control.statements.get(change=change)
    assert (changed.stated_by, changed.stated_on) == (oscar, TODAY)
    page = as_user(olga).get(page_url(control)).content.decode()
    assert "changed in retrospect" in page


@pytest.mark.parametrize("door", ["page", "api"])
@pytest.mark.parametrize(
    ("who", "status"), [("alice", 403), ("rita", 403), ("mallory", 404)]
)
def test_only_officers_ask_for_an_earlier_day(
    who: str,
    status: int,
    door: str,
    request: pytest.FixtureRequest,
    control: ControlImplementation,
    as_user: Any,
) -> None:
    browser = as_user(request.getfixturevalue(who))
    assert ask(browser, control, door).status_code == status
    assert not RetrospectiveChange.objects.exists()


def test_the_verb_refuses_what_the_doors_refuse(
    control: ControlImplementation, alice: User
) -> None:
    describe_by_alice = {
        "customer_statement": "",
        "owner_team": control.owner_team,
        "version": None,
        "by": alice,
        "today": TODAY,
    }
    describe(control, implementation_status="planned", **describe_by_alice)
    with pytest.raises(Refused, match="change in retrospect"):
        describe(
            control,
            implementation_status="implemented",
            stated_from=TODAY - DAY,
            **describe_by_alice,
        )
