"""Sign-off scenario 11: a cadence changed from today, and one changed in retrospect.

Through verbs, the API and a page, against the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.errors import NotPermitted
from controls.history.clock import clock_at
from controls.models import RetrospectiveChange, Role, User
from controls.retrospect import approve
from evidence.models import EvidenceLink, RequirementControl
from evidence.status.control_status import as_known_then, control_statuses, window_of
from evidence.status.gather import Moment
from evidence.status.our_half import requirement_state
from evidence.submissions.revise import attach
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
TODAY, APPROVED = D(2026, 11, 16), D(2026, 11, 18)
Owner = Callable[[], Any]


def on(day: dt.date, hour: int = 12) -> Any:
    """Inside, what the owner role writes is known since that hour (UTC)."""
    return clock_at(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC))


def person(local: str) -> User:
    return User.objects.get(email=f"{local}@example.com")


def bring(
    asked: RequirementControl, month: int, performed_on: dt.date, accepted_on: dt.date
) -> EvidenceLink:
    """Evidence of a month, by Alice, uploaded on the day and accepted by Rita."""
    said = Submission(
        title=f"Review of month {month}",
        performed_on=performed_on,
        period_start=D(2026, month, 1),
        period_end=min(performed_on, D(2026, month, 28)),
        collected_on=performed_on,
    )
    with on(performed_on):
        upload = store("review.txt", [f"accounts of month {month}, all".encode()])
        link = submit(
            said,
            [upload],
            requirement=asked,
            by=person("alice"),
            today=performed_on,
        )
    with on(accepted_on):
        link.accept(by=person("rita"))
    return link


@pytest.fixture
def asked(as_owner: Owner) -> RequirementControl:
    """AC-2 on 16 November: January to April and October, nothing from May on."""
    with as_owner():
        with on(factories.START):
            oscar = factories.make_user("oscar")
            team = factories.make_team()
            system = factories.make_system(oscar, team=team, services=["ec2"])
            for name, role in (
                ("olga", Role.OFFICER),
                ("alice", Role.CONTRIBUTOR),
                ("rita", Role.REVIEWER),
            ):
                of = team if role == Role.CONTRIBUTOR else None
                factories.give_role(factories.make_user(name), system, role, team=of)
            control = factories.implementation(system, "ac-2")
            assert control.responsibility in {"customer", "shared"}
            RequirementControl.objects.filter(implementation=control).delete()
            row = factories.ask_for(
                control,
                "Privileged access review",
                grace_days=5,
                operates_from=factories.START,
            )
        for month, last in ((1, 31), (2, 28), (3, 31), (4, 30)):
            day = D(2026, month, last)
            bring(row, month, day, day + dt.timedelta(days=2))
        bring(row, 10, D(2026, 11, 3), D(2026, 11, 4))
    return row


def period(
    asked: RequirementControl, day: dt.date, known: dt.date | None = None
) -> Any:
    """Over 2026, as it stands on a day; `known` means the end of that day."""
    moment = as_known_then(asked.system, known) if known else Moment(day)
    (answer,) = control_statuses(
        asked.system,
        Moment(day, moment.known_at),
        pks=[asked.implementation_id],
        window=window_of(asked.system),
    )
    assert answer.period is not None
    return answer.period


def counts(judged: Any) -> tuple[int, int, int, int, int]:
    """Expected, on time, late, missed, not yet due."""
    of = judged.occurrences
    return of.expected, of.on_time, of.late, of.missed, of.not_yet_due


def stands(
    asked: RequirementControl, day: dt.date, known: dt.date | None = None
) -> tuple[str, dt.date | None]:
    """State and end of our half; `known` means the end of that day."""
    moment = Moment(day)
    if known:
        moment = Moment(day, as_known_then(asked.system, known).known_at)
    (answer,) = control_statuses(
        asked.system,
        moment,
        pks=[asked.implementation_id],
        window=window_of(asked.system),
    )
    judged = [requirement_state(row, day) for row in answer.facts.requirements]
    (state,) = judged
    return state.state, state.until


def quarterly(asked: RequirementControl, **fields: Any) -> dict[str, Any]:
    return {
        "title": asked.title,
        "cadence": "quarterly",
        "purpose": "operation",
        "operates_from": str(asked.operates_from),
        "grace_days": 14,
        "owner_team": None,
        "rarer_because": "Eleven privileged accounts.",
    } | fields


def put(browser: Client, asked: RequirementControl, body: dict[str, Any]) -> Any:
    url = f"/api/v1/requirements/{asked.uuid}/"
    seen = browser.get(url)["ETag"]
    return browser.put(
        url, body, content_type="application/json", headers={"If-Match": seen}
    )


@pytest.fixture
def oscars(asked: RequirementControl, client: Client, settings: Any) -> Client:
    settings.MFA_REQUIRED = False
    client.force_login(person("oscar"))
    return client


def test_before_any_change_october_carries_to_5_december(asked):
    assert stands(asked, TODAY) == ("proven", D(2026, 12, 5))
    assert stands(asked, D(2026, 11, 25))[0] == "proven"
    assert stands(asked, D(2026, 11, 26))[0] == "expiring"
    assert stands(asked, D(2026, 7, 1)) == ("lapsed", D(2026, 6, 5))
    assert counts(period(asked, TODAY)) == (12, 5, 0, 5, 2)


def test_r13_an_officer_alone_makes_it_quarterly_from_today(
    asked, oscars, as_owner, on_day
):
    """R13, R31: the new end from its day on; days before keep the old."""
    on_day(TODAY)
    with as_owner(), on(TODAY):
        answer = put(oscars, asked, quarterly(asked))
    assert answer.status_code == 200, answer.content
    assert answer.json()["cadence"] == "quarterly"
    assert [row["first_day"] for row in answer.json()["terms"]] == [None, str(TODAY)]
    assert stands(asked, TODAY) == ("proven", D(2027, 1, 14))
    assert stands(asked, D(2026, 12, 10))[0] == "proven"
    assert stands(asked, D(2026, 12, 15))[0] == "proven"
    assert stands(asked, D(2026, 12, 16))[0] == "expiring"
    assert stands(asked, D(2026, 11, 15)) == ("proven", D(2026, 12, 5))
    assert stands(asked, D(2026, 7, 1)) == ("lapsed", D(2026, 6, 5))
    assert stands(asked, D(2026, 12, 10), D(2026, 11, 15))[0] == "lapsed"
    judged = period(asked, TODAY)
    assert counts(judged) == (11, 5, 0, 5, 1)
    last = judged.occurrences.results[-1]
    assert (last.due_on, last.outcome, last.link) == (
        D(2027, 1, 14),
        "not_yet_due",
        "",
    )


@pytest.fixture
def requested(asked, oscars, as_owner, on_day) -> RetrospectiveChange:
    """Quarterly from 1 April, asked for on 16 November by Oscar."""
    on_day(TODAY)
    body = quarterly(asked, from_day="2026-04-01")
    with as_owner(), on(TODAY):
        silent = put(oscars, asked, body)
        assert silent.status_code == 400, silent.content
        answer = put(oscars, asked, body | {"reason": "Decided in March, not typed."})
    assert answer.status_code == 202, answer.content
    change = RetrospectiveChange.objects.get(uuid=answer.json()["change"])
    assert (change.kind, change.first_day) == ("terms", D(2026, 4, 1))
    return change


def test_r32_nothing_changes_until_another_officer_approves(asked, requested):
    """R31, R32: one who asked may not approve; until then all is as before."""
    with pytest.raises(NotPermitted):
        approve(requested, by=person("oscar"), today=APPROVED)
    assert stands(asked, TODAY) == ("proven", D(2026, 12, 5))
    asked.refresh_from_db()
    assert asked.cadence == "monthly"


def test_r31_approved_in_retrospect_it_acts_from_the_approval_on(
    asked, requested, as_owner
):
    """R13, R31: known on the 17th as before, from the 18th on by the new terms."""
    before = [
        (day, stands(asked, day, D(2026, 11, 17)))
        for day in (D(2026, 3, 15), D(2026, 7, 1), TODAY)
    ]
    with as_owner(), on(APPROVED):
        approve(requested, by=person("olga"), today=APPROVED)
    assert [(d, stands(asked, d, D(2026, 11, 17))) for d, _ in before] == before
    assert stands(asked, D(2026, 7, 1), D(2026, 11, 17)) == ("lapsed", D(2026, 6, 5))
    assert stands(asked, D(2026, 7, 1), APPROVED) == ("expiring", D(2026, 7, 14))
    assert stands(asked, D(2026, 3, 15), APPROVED) == before[0][1]
    assert stands(asked, APPROVED) == ("proven", D(2027, 1, 14))
    assert counts(period(asked, TODAY, D(2026, 11, 17))) == (12, 5, 0, 5, 2)
    judged = period(asked, APPROVED)
    assert counts(judged) == (6, 3, 0, 2, 1)
    waived = [row for row in judged.occurrences.results if row.outcome == "waived"]
    assert [row.former_outcome for row in waived] == [
        "on_time",
        *["missed"] * 5,
        "on_time",
    ]
    assert all(row.changed_in_retrospect for row in waived)
    assert judged.result == "exceptions"
    asked.refresh_from_db()
    assert (asked.cadence, asked.grace_days) == ("quarterly", 14)
    terms = list(asked.ask.terms.order_by("days"))
    assert [row.cadence for row in terms] == ["monthly", "quarterly"]
    assert [row.change_id for row in terms] == [None, requested.pk]


def test_aprils_report_may_be_linked_to_the_second_quarter(asked, requested, as_owner):
    """R14, R17: a link answers one period; by the new terms April's performs Q2."""
    with as_owner(), on(APPROVED):
        approve(requested, by=person("olga"), today=APPROVED)
    april = EvidenceLink.objects.get(proves_from=D(2026, 4, 30))
    assert april.occurrence_ends == D(2026, 4, 30)
    asked.refresh_from_db()
    with as_owner(), on(D(2026, 11, 19)):
        again = attach(april.revision, requirement=asked, by=person("alice"))
        again.accept(by=person("rita"))
    assert (again.occurrence, again.occurrence_ends) == (D(2026, 4, 1), D(2026, 6, 30))
    assert stands(asked, D(2026, 7, 15)) == ("proven", D(2026, 10, 14))
    assert stands(asked, D(2026, 7, 15), APPROVED) == ("lapsed", D(2026, 7, 14))
    assert counts(period(asked, D(2026, 11, 19))) == (6, 4, 0, 1, 1)
    assert period(asked, D(2027, 2, 1)).result == "exceptions"


def test_the_page_shows_the_terms_with_their_days_and_who_decided(
    asked, requested, oscars, as_owner
):
    """R31: marked on screen, with both officers."""
    with as_owner(), on(APPROVED):
        approve(requested, by=person("olga"), today=APPROVED)
    url = reverse("evidence:control", args=[asked.system.slug, "ac-2"])
    text = " ".join(oscars.get(url).content.decode().split())
    assert "From 2026-04-01 until further notice:" in text
    assert "From the beginning to 2026-03-31:" in text
    assert "by Oscar , approved by Olga: changed in retrospect" in text


COUNTS = ("expected", "on_time", "late", "missed", "not_yet_due")


def window(
    browser: Client, asked: RequirementControl, on_day: dt.date, known: str = ""
) -> list[int]:
    """The counts of the audit window as the API gives them on a day."""
    url = reverse("system-control", args=[asked.system.slug, "ac-2"])
    clocks = {"on": str(on_day)} | ({"known_at": known} if known else {})
    period = browser.get(url, clocks).json()["period"]
    return [period[name] for name in COUNTS]


def test_r14_the_window_before_and_after_a_change_from_today(
    asked, oscars, as_owner, on_day
):
    """R14: 12 expected before; 11 after, and the ten past months stay as they were."""
    assert window(oscars, asked, TODAY) == [12, 5, 0, 5, 2]
    on_day(TODAY)
    with as_owner(), on(TODAY):
        put(oscars, asked, quarterly(asked))
    assert window(oscars, asked, TODAY) == [11, 5, 0, 5, 1]


def test_r31_the_window_after_a_change_in_retrospect(
    asked, requested, oscars, as_owner
):
    """R31: seven rows waived, marked, five of them formerly missed; never complete."""
    with as_owner(), on(APPROVED):
        approve(requested, by=person("olga"), today=APPROVED)
    assert window(oscars, asked, APPROVED, "2026-11-17") == [12, 5, 0, 5, 2]
    assert window(oscars, asked, APPROVED) == [6, 3, 0, 2, 1]
    (answer,) = control_statuses(
        asked.system,
        Moment(APPROVED),
        pks=[asked.implementation_id],
        window=window_of(asked.system),
    )
    assert answer.period is not None
    rows = answer.period.occurrences.results
    waived = [row for row in rows if row.outcome == "waived"]
    assert [row.starts.month for row in waived] == [4, 5, 6, 7, 8, 9, 10]
    assert [row.former_outcome for row in waived].count("missed") == 5
    changed = [row.ends for row in rows if row.changed_in_retrospect]
    assert D(2026, 9, 30) in changed
    assert D(2026, 12, 31) not in changed
    assert answer.period.result == "exceptions"
    url = reverse("evidence:control", args=[asked.system.slug, "ac-2"])
    text = oscars.get(url, {"on": str(APPROVED)}).content.decode()
    assert "waived by a change in retrospect, formerly missed" in text
