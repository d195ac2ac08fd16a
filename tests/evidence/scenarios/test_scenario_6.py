"""Sign-off scenario 6: two clocks, and an export that is reproduced to the byte."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.history.clock import clock_at
from controls.models import Role, System, Team, User
from controls.responsibility.overrides import decide_override, request_override
from evidence.exports.jobs import make_export, opened_for, request_export
from evidence.models import EvidenceLink
from evidence.status.control_status import as_known_then
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring, codes, told

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
DAY = D(2026, 6, 30)
QUARTERS = ((D(2026, 1, 1), D(2026, 3, 31)), (D(2026, 4, 1), D(2026, 6, 30)))


def on(day: dt.date, hour: int = 12) -> Any:
    """Inside, what the owner role writes is known since that hour (UTC)."""
    return clock_at(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC))


@pytest.fixture
def reviewed(as_owner: Callable[[], Any]) -> System:
    """The first quarter on time; the second performed 25 June, uploaded 6 July,
    accepted 8 July."""
    with as_owner():
        with on(factories.START):
            oscar = factories.make_user("oscar")
            alice, rita = factories.make_user("alice"), factories.make_user("rita")
            found = factories.make_system(oscar)
            factories.give_role(factories.make_user("olga"), found, Role.OFFICER)
            team = factories.make_team()
            factories.give_role(alice, found, Role.CONTRIBUTOR, team=team)
            factories.give_role(rita, found, Role.REVIEWER)
            asked = ask_only(
                found,
                "ac-2",
                "Privileged access review",
                cadence="quarterly",
                grace_days=15,
            )
        with on(D(2026, 3, 28)):
            first = bring(
                asked, about=QUARTERS[0], performed_on=D(2026, 3, 28), by=alice
            )
            first.accept(by=rita)
        with on(D(2026, 7, 6)):
            second = bring(
                asked,
                about=QUARTERS[1],
                performed_on=D(2026, 6, 25),
                uploaded_on=D(2026, 7, 6),
                by=alice,
            )
        with on(D(2026, 7, 8)):
            second.accept(by=rita)
    return found


@pytest.fixture
def browser(reviewed: System, client: Client, settings: Any) -> Client:
    """The officer's."""
    settings.MFA_REQUIRED = False
    client.force_login(User.objects.get(email="oscar@example.com"))
    return client


def test_each_instant_keeps_its_own_answer(reviewed, browser):
    """R35, two clocks: about 30 June as known that day, a week and a month later."""
    then = told(browser, reviewed, "ac-2", DAY, DAY)
    assert then["customer_half"] == "expiring"
    assert "submitted_unreviewed" not in codes(then)
    waiting = told(browser, reviewed, "ac-2", DAY, D(2026, 7, 7))
    assert waiting["customer_half"] == "expiring"
    assert "submitted_unreviewed" in codes(waiting)
    known = told(browser, reviewed, "ac-2", DAY, D(2026, 7, 31))
    assert known["customer_half"] == "proven"


@pytest.mark.parametrize(
    ("day", "known_at", "half"),
    [
        (D(2026, 7, 15), DAY, "expiring"),
        (D(2026, 7, 16), DAY, "lapsed"),
        (D(2026, 9, 14), D(2026, 7, 31), "proven"),
        (D(2026, 10, 15), D(2026, 7, 31), "expiring"),
        (D(2026, 10, 16), D(2026, 7, 31), "lapsed"),
    ],
)
def test_q1_carries_to_15_july_and_q2_to_15_october(
    reviewed, browser, day, known_at, half
):
    """R13."""
    assert told(browser, reviewed, "ac-2", day, known_at)["customer_half"] == half


def test_an_export_made_now_has_the_bytes_of_the_one_made_that_day(
    reviewed, browser, as_owner, settings, tmp_path
):
    """A revision, a rename and an override later, about 30 June as known then."""
    settings.EVIDENCE_STORE = str(tmp_path)
    before = exported(reviewed)
    with as_owner(), on(D(2026, 8, 3)):
        happen(reviewed)
    after = exported(reviewed)
    assert before == after
    rows = list(csv.DictReader(io.StringIO(after.decode("utf-8-sig"))))
    assert {row["on"] for row in rows} == {"2026-06-30"}
    assert {row["known_at"][:10] for row in rows} == {"2026-07-01"}  # exclusive
    assert told(browser, reviewed, "ac-2", D(2026, 8, 4))["customer_half"] == "missing"
    assert told(browser, reviewed, "pe-3", D(2026, 8, 4))["responsibility"] == "shared"


def exported(system: System) -> bytes:
    """The bytes of an export about 30 June as known then."""
    officer = User.objects.get(email="oscar@example.com")
    known = as_known_then(system, DAY).known_at
    export = request_export(system, by=officer, on=DAY, known_at=known)
    make_export(export.pk)
    export.refresh_from_db()
    with opened_for(export, by=officer).body as file:
        content: bytes = file.read()
    return content


def happen(system: System) -> None:
    """What came after: a withdrawal, a rename of system and team, an override."""
    oscar = User.objects.get(email="oscar@example.com")
    olga = User.objects.get(email="olga@example.com")
    rita = User.objects.get(email="rita@example.com")
    for link in EvidenceLink.objects.filter(system=system).order_by("pk"):
        link.withdraw(by=rita, reason="The list was cut short.")
    System.objects.filter(pk=system.pk).update(name="Renamed")
    Team.objects.update(name="Another name")
    override = request_override(
        factories.implementation(system, "pe-3"),
        responsibility="shared",
        reason="Our cage.",
        starts_on=D(2026, 8, 3),
        ends_on=D(2026, 9, 30),
        by=oscar,
    )
    decide_override(override, approve=True, by=olga)


def test_header_of_the_page_carries_both_dates(reviewed, browser):
    page = browser.get(
        reverse("evidence:control", args=[reviewed.slug, "ac-2"]),
        {"on": "2026-06-30", "known_at": "2026-07-31"},
    )
    shown = " ".join(page.content.decode().split())
    assert "<strong>2026-06-30</strong>" in shown
    assert "as known at <strong>2026-08-01 00:00 UTC</strong>" in shown
