"""Sign-off scenario 9, reviews and overrides: what one act moves, and since when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from controls.history.clock import clock_at
from controls.models import Role, System, User
from controls.responsibility.overrides import decide_override, request_override
from evidence.models import EvidenceLink
from evidence.models.revisions import RevisionKind
from evidence.submissions.revise import attach, revise
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring, codes, told

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
MARCH = (D(2026, 3, 1), D(2026, 3, 31))
CONTROLS = ("ac-2", "ac-6.7", "pe-3", "si-2")
APRIL_11 = D(2026, 4, 11)


def on(day: dt.date) -> Any:
    """Inside, what the owner role writes is known since noon of that day (UTC)."""
    return clock_at(dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC))


def person(local: str) -> User:
    return User.objects.get(email=f"{local}@example.com")


@pytest.fixture
def system(as_owner: Callable[[], Any]) -> System:
    """E performed in March and accepted for AC-2 on 10 April; AC-6(7) asks as well."""
    with as_owner(), on(factories.START):
        oscar, alice, rita = map(factories.make_user, ("oscar", "alice", "rita"))
        baseline = factories.make_baseline(CONTROLS, slug="four-of-nine")
        found = factories.make_system(oscar, baseline=baseline)
        team = factories.make_team()
        factories.give_role(factories.make_user("olga"), found, Role.OFFICER)
        factories.give_role(alice, found, Role.CONTRIBUTOR, team=team)
        factories.give_role(rita, found, Role.REVIEWER)
        asked = [
            ask_only(found, ref_id, f"Review {ref_id}", cadence="yearly")
            for ref_id in ("ac-2", "ac-6.7")
        ]
    with as_owner(), on(D(2026, 4, 10)):
        link = bring(asked[0], about=MARCH, performed_on=D(2026, 3, 31), by=alice)
        link.accept(by=rita)
    with as_owner(), on(D(2026, 11, 1)):
        attach(link.revision, requirement=asked[1], by=alice)
    return found


@pytest.fixture
def browser(system: System, client: Client, settings: Any) -> Client:
    """The officer's."""
    settings.MFA_REQUIRED = False
    client.force_login(person("oscar"))
    return client


def ours(
    browser: Client, system: System, ref_id: str, on_day: dt.date, *known: dt.date
) -> str:
    half: str = told(browser, system, ref_id, on_day, *known)["customer_half"]
    return half


def revised(system: System, kind: str) -> None:
    """Alice brings a revision of E on 2 November."""
    link = EvidenceLink.objects.filter(system=system).order_by("pk")[0]
    said = Submission(
        title="E",
        performed_on=D(2026, 3, 31),
        period_start=MARCH[0],
        period_end=MARCH[1],
        collected_on=D(2026, 3, 31),
    )
    revise(
        link.revision.evidence,
        said,
        [store("more.txt", [b"a second list, long enough to be one of its own"])],
        kind=kind,
        reason="The list was cut short.",
        by=person("alice"),
        today=D(2026, 11, 2),
    )


def test_linking_it_to_another_control_moves_no_other(system, browser):
    """R17: AC-2 stays approved, AC-6(7) waits."""
    assert ours(browser, system, "ac-2", D(2026, 11, 1)) == "proven"
    assert ours(browser, system, "ac-6.7", D(2026, 11, 1)) == "pending"


def test_an_addition_leaves_both(system, browser, as_owner):
    with as_owner(), on(D(2026, 11, 2)):
        revised(system, RevisionKind.ADDITION)
    assert ours(browser, system, "ac-2", D(2026, 11, 3)) == "proven"
    assert ours(browser, system, "ac-6.7", D(2026, 11, 3)) == "pending"


def test_a_correction_voids_the_review_from_that_day_as_known(
    system, browser, as_owner
):
    """R17, R31: what was known before still says approved."""
    with as_owner(), on(D(2026, 11, 2)):
        revised(system, RevisionKind.CORRECTION)
    assert ours(browser, system, "ac-2", D(2026, 11, 3)) == "pending"
    assert ours(browser, system, "ac-2", D(2026, 11, 1), D(2026, 11, 1)) == "proven"
    assert ours(browser, system, "ac-2", APRIL_11, APRIL_11) == "proven"


def test_an_override_that_ran_out_stays_until_somebody_decides(
    system, browser, as_owner
):
    """R9: PE-3 shared to 30 September is shared on 1 October, and says why."""
    with as_owner(), on(D(2026, 6, 1)):
        override = request_override(
            factories.implementation(system, "pe-3"),
            responsibility="shared",
            reason="Our cage.",
            starts_on=D(2026, 6, 1),
            ends_on=D(2026, 9, 30),
            by=person("oscar"),
        )
        decide_override(override, approve=True, by=person("olga"))
    classes = {
        day: told(browser, system, "pe-3", day)
        for day in (D(2026, 5, 31), D(2026, 9, 30), D(2026, 10, 1))
    }
    assert [answer["responsibility"] for answer in classes.values()] == [
        "inherited",
        "shared",
        "shared",
    ]
    expired = ["override_expired" in codes(answer) for answer in classes.values()]
    assert expired == [False, False, True]
