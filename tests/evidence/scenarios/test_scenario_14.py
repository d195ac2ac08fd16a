"""Sign-off scenario 14 through models and API: by control, and by the one ask.

One file: both count the same quarter reports.
"""

from __future__ import annotations

import datetime as dt

import pytest

from evidence.models import Evidence, EvidenceLink, EvidenceRequirement
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.planning.bring_for_ask import bring_for_ask
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joining import add_control, join
from evidence.reviews.decide import Decision, decide_all
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence.scenarios.past import TICKET, Past, at, counted, quarter

pytestmark = pytest.mark.django_db(transaction=True)
D = dt.date
# Customer controls of the small baseline; the names of the scenario are in comments.
FOUR = ("ac-2", "ac-4", "si-2", "cm-2")  # AU-3, AU-4, AU-11, AU-12
REJECTED = "ac-1"  # AU-9
LATER = "at-2"  # AU-10


@pytest.fixture
def logs(as_owner, settings, tmp_path) -> Past:
    settings.MFA_REQUIRED = False
    settings.EVIDENCE_STORE = str(tmp_path)
    with as_owner():
        past = Past.described(D(2026, 1, 1))
        terms = {"cadence": "quarterly", "grace_days": 14}
        title = "Log settings and samples"
        since = {"operates_from": D(2026, 1, 1)}
        asks = {
            ref_id: past.ask(ref_id, title, **terms, **since)
            for ref_id in (*FOUR, REJECTED)
        }
        later = past.ask(LATER, title, **terms, operates_from=D(2026, 8, 15))
        for ref_id, asked in asks.items():
            past.performed(
                asked, about=quarter(1), on=D(2026, 3, 30), accepted=D(2026, 4, 2)
            )
            second = past.performed(
                asked, about=quarter(2), on=D(2026, 6, 29), uploaded=D(2026, 7, 2)
            )
            with at(D(2026, 7, 6)):
                if ref_id == REJECTED:
                    second.reject(by=past.rita, reason="The sample lacks AU-9.")
                else:
                    second.accept(by=past.rita)
        past.performed(
            asks[REJECTED],
            about=quarter(2),
            on=D(2026, 6, 29),
            uploaded=D(2026, 7, 20),
            accepted=D(2026, 7, 22),
            day=TICKET,
        )
        for asked in (*asks.values(), later):
            past.performed(
                asked, about=quarter(3), on=D(2026, 9, 28), accepted=D(2026, 10, 1)
            )
    return past


def test_by_control_on_1_february(logs, client):
    """R11, R14: 22 expected, 16 on time, 6 missed; unasked days of the sixth."""
    browser = logs.browser(client)
    today = D(2027, 2, 1)
    answers = {
        ref_id: logs.told(browser, ref_id, today) for ref_id in (*FOUR, REJECTED, LATER)
    }
    for ref_id in (*FOUR, REJECTED):
        assert counted(answers[ref_id]) == [4, 3, 0, 1, 0], ref_id
    assert counted(answers[LATER]) == [2, 1, 0, 1, 0]
    totals = [
        sum(column) for column in zip(*map(counted, answers.values()), strict=True)
    ]
    assert totals == [22, 16, 0, 6, 0]
    for ref_id, sentence in (
        (REJECTED, "recorded 6 days after its due day"),
        (LATER, "Nothing was asked on 226 days of the window"),
    ):
        page = browser.get(
            f"/systems/{logs.system.slug}/controls/{ref_id}/", {"on": str(today)}
        )
        assert sentence in page.content.decode()


def test_about_16_july(logs, client):
    """R13, R17: as known then the fifth lapsed, the others hold to 14 October."""
    browser = logs.browser(client)
    day = D(2026, 7, 16)
    then = logs.told(browser, REJECTED, day, day)
    assert then["customer_half"] == "lapsed"
    assert "newer_rejected" in {reason["code"] for reason in then["reasons"]}
    assert logs.told(browser, REJECTED, day)["customer_half"] == "proven"
    for known in (day, D(2026, 7, 31), None):
        for ref_id in FOUR:
            answer = logs.told(browser, ref_id, day, known)
            assert answer["customer_half"] == "proven"
    known = D(2026, 7, 31)
    for ref_id in FOUR:
        last = logs.told(browser, ref_id, D(2026, 10, 14), known)
        assert last["customer_half"] == "expiring"
        after = logs.told(browser, ref_id, D(2026, 10, 15), known)
        assert after["customer_half"] == "lapsed"


@pytest.fixture
def joined(as_owner, settings, tmp_path) -> tuple[Past, EvidenceRequirement]:
    """The same year under one ask: four uploads, four acts of review, 17 links."""
    settings.MFA_REQUIRED = False
    settings.EVIDENCE_STORE = str(tmp_path)
    with as_owner():
        past = Past.described(D(2026, 1, 1))
        title, terms = "Log settings and samples", {"cadence": "quarterly"}
        rows = [
            past.ask(ref_id, title, **terms, grace_days=14, operates_from=D(2026, 1, 1))
            for ref_id in (*FOUR, REJECTED)
        ]
        with at(D(2026, 1, 1)):
            ask = join(
                past.system,
                AskTerms(title, "quarterly", "operation", grace_days=14),
                [NamedControl(row.uuid, "Its part of the export") for row in rows],
                from_day=D(2026, 1, 1),
                by=past.oscar,
                today=D(2026, 1, 1),
            )
        bring(past, ask, D(2026, 3, 30), D(2026, 3, 30), decided=D(2026, 4, 2))
        bring(past, ask, D(2026, 6, 29), D(2026, 7, 2), decided=D(2026, 7, 6), but=True)
        bring(
            past,
            ask,
            D(2026, 6, 29),
            D(2026, 7, 20),
            decided=D(2026, 7, 22),
            day=TICKET,
        )
        with at(D(2026, 8, 15)):
            add_control(
                ask,
                factories.implementation(past.system, LATER),
                "Its part of the export",
                from_day=D(2026, 8, 15),
                by=past.oscar,
                today=D(2026, 8, 15),
            )
        # after the quarter ended the running one is the next: it is named
        bring(past, ask, D(2026, 9, 28), D(2026, 9, 28), decided=D(2026, 10, 1))
    return past, ask


def bring(
    past: Past,
    ask: EvidenceRequirement,
    performed_on: dt.date,
    uploaded: dt.date,
    *,
    decided: dt.date,
    but: bool = False,
    day: DayConfirmation = NOT_CONFIRMED,
) -> None:
    """For what is open in the ask; decided in one act, perhaps all but one."""
    with at(uploaded):
        stated = Submission("", performed_on, uploaded, uploaded, uploaded)
        uploads = [store("logs.txt", [f"logs of {uploaded}".encode()])]
        brought = bring_for_ask(ask, stated, uploads, by=past.alice, today=uploaded)
        assert brought.new
    links = EvidenceLink.objects.filter(revision=brought.link.revision)
    decisions = [
        Decision(
            link.uuid,
            accept=not (but and link.implementation.control.ref_id == REJECTED),
            reason="The sample lacks AU-9." if but else "",
            day=day,
        )
        for link in links.select_related("implementation__control")
    ]
    with at(decided):
        decide_all(decisions, by=past.rita)


def test_by_ask_on_1_february(joined, client):
    """R11: 4 and 1 missed by ask; 22, 16 and 6 by control; 4 uploads, 17 links."""
    past, ask = joined
    browser, today = past.browser(client), D(2027, 2, 1)
    path = f"/api/v1/asks/{ask.uuid}/occurrences/"
    answer = browser.get(path, {"on": str(today)}).json()
    assert answer["counts"] == {
        "expected": 4, "on_time": 3, "late": 0, "missed": 1, "not_yet_due": 0,
    }  # fmt: skip
    *_, last = answer["periods"]
    assert (last["starts"], last["outcome"]) == ("2026-10-01", "missed")
    assert len(last["controls"]) == 6
    told = [
        counted(past.told(browser, ref_id, today))
        for ref_id in (*FOUR, REJECTED, LATER)
    ]
    totals = [sum(column) for column in zip(*told, strict=True)]
    assert totals == [22, 16, 0, 6, 0]
    assert Evidence.objects.count() == 4
    assert EvidenceLink.objects.count() == 17
    page = browser.get(f"/systems/{past.system.slug}/asks/{ask.uuid}/")
    assert page.status_code == 200
