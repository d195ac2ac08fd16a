"""R36: whoever has to mend a finding is told of it, before its due day and after it;
whoever wrote a response is told that it was refused, and auditors that a window waits
to be closed. Each once; what is over ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls import clock
from controls.models import Engagement
from evidence.exports.closing import request_closing, withdraw_closing
from evidence.findings.dispositions import decide_disposition, request_disposition
from evidence.findings.recording import record_finding
from evidence.findings.responses import decide_response, items_answered, respond
from evidence.models import DispositionKind, Finding
from evidence.notices.gathering import gather_notices
from evidence.status.rows import Moment
from tests import factories
from tests.evidence.house import TODAY, House
from tests.evidence.notices import telling
from tests.evidence.notices.telling import DAY, asked_since, told
from tests.one_day import BEGINS

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    return telling.build(settings, tmp_path)


def found(house: House, severity: str = "high") -> Finding:
    """A finding of today about what alice's team owns, written by audrey."""
    return record_finding(
        factories.implementation(house.system, "cm-8"),
        title="Two machines are in no list",
        text="They were seen in the traffic.",
        severity=severity,
        source="Walk-through",
        found_on=TODAY,
        by=house.audrey,
    )


def test_the_owner_team_and_the_officers_are_told_once(house) -> None:
    found(house)
    for name in ("alice", "olivia"):
        (sentence,) = told(house, name, "finding")
        assert "“CM-8 Two machines are in no list” was found by Audrey" in sentence
        assert len(told(house, name, "finding")) == 1
    for name in ("bob", "rita", "ray", "audrey", "mallory"):
        assert told(house, name, "finding") == [], name


def test_before_and_after_the_due_day(house) -> None:
    found(house)  # of high severity: 30 days
    due = TODAY + 30 * DAY
    assert told(house, "alice", "finding-due", days=15) == []
    (soon,) = told(house, "alice", "finding-due", days=16)
    assert soon.endswith(f"is to be mended by {due}.")
    assert told(house, "alice", "finding-late", days=30) == []
    (late,) = told(house, "alice", "finding-late", days=31)
    assert late.endswith(f"was to be mended by {due}.")
    assert told(house, "alice", "finding-due", days=31) == []
    assert len(told(house, "olivia", "finding-late", days=31)) == 1


def test_one_that_is_none_ends(house) -> None:
    finding = found(house)
    assert told(house, "alice", "finding")
    disposition = request_disposition(
        finding,
        kind=DispositionKind.FALSE_POSITIVE,
        text="Both are printers of the landlord.",
        by=house.olivia,
    )
    decide_disposition(disposition, decision="accept", reason="", by=house.rita)
    assert told(house, "alice", "finding") == []


def test_a_refused_response_is_told_to_who_wrote_it(house) -> None:
    asked_since(house, 120)
    control = factories.implementation(house.system, "cm-8")
    window = (TODAY - 120 * DAY, TODAY - DAY)
    rows = items_answered(
        house.system, Moment(TODAY), window, implementations=[control]
    )
    response = respond(
        control, rows[0].item.key, window,
        cause="Forgotten.", effect="None.", measures="A deputy.", owner="Platform",
        by=house.alice,
    )  # fmt: skip
    assert told(house, "alice", "response-back") == []
    decide_response(
        response, decision="reject", reason="Name the deputy.", by=house.rita
    )
    (sentence,) = told(house, "alice", "response-back")
    assert sentence.endswith("was refused by Rita: Name the deputy.")
    assert told(house, "olivia", "response-back") == []


def test_auditors_are_told_that_a_window_waits(house) -> None:
    audit = house.audrey.memberships.get().engagement
    later = BEGINS + 60 * DAY
    assert audit.window_end < later.date()
    closing = request_closing(
        Engagement.objects.get(pk=audit.pk), by=house.olivia, now=later
    )
    (sentence,) = told(house, "audrey", "to-approve")
    assert sentence == (
        "Olivia asks you to approve: that the window of SOC 2 is closed."
    )
    assert told(house, "olivia", "to-approve") == []
    withdraw_closing(closing, by=house.olivia, now=later)
    assert told(house, "audrey", "to-approve") == []


def test_more_findings_take_no_more_statements(house) -> None:
    def statements() -> int:
        gather_notices(clock.now())
        with CaptureQueriesContext(
            connection,
        ) as made:
            gather_notices(clock.now())
        return len(made)

    found(house)
    one = statements()
    for _ in range(3):
        found(house, "low")
    assert statements() == one
