"""Scenario 9 against the database: services change within the audit window."""

from __future__ import annotations

import datetime as dt

import pytest

from controls.models import ControlImplementation, System
from evidence.models import RequirementControl
from evidence.status.control_status import ControlStatus, control_statuses, window_of
from evidence.status.gather import Moment
from evidence.status.gather_window import gather_period
from evidence.systems.describe import Use, add_component, end_component
from tests import factories
from tests.factories import END, START, variant

pytestmark = pytest.mark.django_db
CHANGE = dt.date(2026, 7, 1)
LAST_OF_EC2 = dt.date(2026, 6, 30)


@pytest.fixture
def moved(oscar, platform) -> System:
    """EC2 until the end of June, Fargate from July; reports of all months but April."""
    found = factories.make_system(oscar, team=platform, services=["ec2"])
    rita = factories.make_user("rita")
    factories.give_role(rita, found, "reviewer")
    RequirementControl.objects.filter(system=found).delete()
    patches = factories.ask_for(
        factories.implementation(found, "si-2"),
        "Guest patch report",
        cadence="monthly",
        grace_days=5,
        operates_from=START,
        operates_until=CHANGE,
    )
    for month in (1, 2, 3, 5, 6):
        performed = dt.date(2026, month, 28)
        link = factories.make_evidence(patches, by=oscar, performed_on=performed)
        link.accept(by=rita)
    (ec2,) = found.components.all()
    end_component(ec2, last_day=LAST_OF_EC2, by=oscar, today=CHANGE)
    fargate = Use(variant("fargate"), CHANGE, regions=["us-east-1"])
    add_component(found, fargate, by=oscar, today=CHANGE)
    return found


def answer(system: System, ref_id: str, on: dt.date = END) -> ControlStatus:
    pk = factories.implementation(system, ref_id).pk
    (found,) = control_statuses(system, Moment(on), pks=[pk], window=window_of(system))
    return found


def parties(found: ControlStatus, layer: str) -> set[str]:
    return {row["party"] for row in found.basis if row["layer"] == layer}


def test_at_the_end_no_guest_system_is_ours(moved):
    patching = answer(moved, "si-2")
    assert patching.facts.responsibility == "shared"
    assert parties(patching, "guest-os") == {"aws"}
    assert answer(moved, "ma-4").facts.responsibility == "inherited"


def test_before_the_change_it_was(moved):
    patching = answer(moved, "si-2", LAST_OF_EC2)
    assert "customer" in parties(patching, "guest-os")
    assert answer(moved, "ma-4", LAST_OF_EC2).facts.responsibility == "shared"


def test_over_the_window_both_halves_are_asked_for(moved):
    remote = answer(moved, "ma-4")
    assert not remote.facts.customer_required
    assert remote.period is not None
    assert remote.period.result == "exceptions"
    pk = factories.implementation(moved, "ma-4").pk
    facts = gather_period(moved, [pk], START, END, Moment(END))[pk]
    assert facts.aws_required
    assert facts.customer_required


def test_the_reports_of_half_a_year_are_expected_and_one_is_missed(moved):
    result = answer(moved, "si-2").period
    assert result is not None
    every = result.occurrences.results
    reports = [each for each in every if each.title == "Guest patch report"]
    assert len(reports) == 6
    missed = [each.starts for each in reports if each.outcome == "missed"]
    assert missed == [dt.date(2026, 4, 1)]
    assert result.result == "exceptions"


def test_what_is_shown_in_lists_follows_the_day(moved, oscar):
    rows = ControlImplementation.objects.filter(system=moved)
    today = moved.day_of(System.objects.get(pk=moved.pk).known_from)
    listed = rows.get(control__ref_id="ma-4").responsibility
    assert listed == answer(moved, "ma-4", today).facts.responsibility
