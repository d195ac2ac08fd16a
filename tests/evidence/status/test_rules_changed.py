"""A command lists the controls whose answer a new number of the rules changed (R35)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls.models import System, User
from evidence.status.control_status import window_of
from evidence.status.gather import Moment
from evidence.status.rule_changes import rule_changes
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring

pytestmark = pytest.mark.django_db
D = dt.date
DAY = D(2026, 11, 23)
KNOWN = ("--known-at", "2026-12-31T00:00Z")


@pytest.fixture
def unstated(oscar: User, alice: User, rita: User) -> System:
    """AC-4 proven by October's review; nobody has said how far it is implemented."""
    found = factories.make_system(oscar, slug="ledger", stated=False)
    for user, role in ((alice, "contributor"), (rita, "reviewer")):
        factories.give_role(user, found, role, team=factories.make_team())
    asked = ask_only(found, "ac-4", "Review", cadence="monthly", grace_days=5)
    october = (D(2026, 10, 1), D(2026, 10, 31))
    link = bring(asked, about=october, performed_on=D(2026, 10, 31), by=alice)
    link.accept(by=rita)
    return found


def said(capsys: Any, *arguments: str) -> str:
    call_command("rules_changed", *arguments)
    out: str = capsys.readouterr().out
    return out


def test_the_control_is_listed_with_both_answers_and_the_rule(unstated, capsys):
    """R28: a status that nobody stated was taken as implemented; R14: October's review
    was brought on 23 November, and nobody confirmed its day."""
    out = said(capsys, "ledger", "--as-of", str(DAY), *KNOWN)
    (line,) = [line for line in out.splitlines() if line.startswith("ac-4 ")]
    assert "verdict proven -> partly" in line
    assert line.endswith("(R14, R28)")
    assert "answer otherwise by rules 2 than by rules 1" in out
    assert "Not compared: " not in out


def test_a_system_that_says_how_far_it_is_answers_the_same(system, capsys):
    out = said(capsys, system.slug, "--as-of", str(DAY), *KNOWN)
    assert not [line for line in out.splitlines() if "verdict" in line]


def test_wrong_use_says_so(system, capsys):
    for arguments in ((), ("nothing",), (system.slug, "--as-of", "yesterday")):
        with pytest.raises(SystemExit) as stop:
            call_command("rules_changed", *arguments)
        assert stop.value.code == 2
    assert "Name a system." in capsys.readouterr().err


def test_it_takes_a_constant_number_of_statements(unstated):
    """However many controls a system has."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        rule_changes(unstated, Moment(DAY), window_of(unstated))
    assert len(captured) < 45
