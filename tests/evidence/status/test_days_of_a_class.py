"""R7, R10: which class, and which exclusion, holds on each day of a window."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from controls.models import ApplicabilityDecision, ResponsibilityDecision
from evidence.status import days_sql
from evidence.status.rows import Moment, as_bigints, read_rows
from tests import factories

pytestmark = pytest.mark.django_db
START, END = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
MAY, JULY = dt.date(2026, 5, 1), dt.date(2026, 7, 1)


def days_of(implementation, statement, known_at=None):
    rows = read_rows(
        statement,
        Moment(END, known_at),
        implementations=as_bigints([implementation.pk]),
        start=START,
        end=END,
    )
    return [(row["starts"], row["until"], row.get("responsibility")) for row in rows]


def decided(implementation, responsibility, *days):
    first = implementation.decisions.order_by("pk")[0]
    return ResponsibilityDecision.objects.create(
        implementation=implementation,
        basis=first.basis,
        reference_version=first.reference_version,
        responsibility=responsibility,
        effective=DateRange(*days),
    )


def test_of_two_decisions_for_a_day_the_one_recorded_last_counts(system):
    """R7: rows do not overlap; a replaced decision counts for nothing."""
    si_2 = factories.implementation(system, "si-2")
    assert si_2.responsibility == "shared"
    before = decided(si_2, "customer", MAY, JULY).known_from
    decided(si_2, "inherited", dt.date(2026, 6, 1), None)

    assert days_of(si_2, days_sql.DECISIONS_OF_WINDOW)[-3:] == [
        (system.components.earliest("used_from").used_from, MAY, "shared"),
        (MAY, dt.date(2026, 6, 1), "customer"),
        (dt.date(2026, 6, 1), None, "inherited"),
    ]
    then = [row[2] for row in days_of(si_2, days_sql.DECISIONS_OF_WINDOW, before)]
    assert set(then) <= {"shared", "none", "customer"}
    assert "inherited" not in then


def excluded(implementation, by, other, **days):
    usual = {
        "state": "approved",
        "decided_by": other,
        "absent_layers": [],
        "review_by": dt.date(2027, 5, 11),
    }
    return ApplicabilityDecision.objects.create(
        implementation=implementation,
        basis=implementation.decision.basis,
        requested_by=by,
        justification="None here.",
        **usual | days,
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"starts_on": MAY}, [(MAY, dt.date(2027, 5, 12))]),
        ({"starts_on": MAY, "ended_on": JULY}, [(MAY, JULY)]),
        ({"starts_on": MAY, "ended_on": JULY, "state": "ended"}, [(MAY, JULY)]),
        ({"starts_on": MAY, "voided_from": JULY}, [(MAY, JULY)]),
        ({"starts_on": MAY, "review_by": JULY}, [(MAY, JULY + dt.timedelta(days=1))]),
        ({"starts_on": MAY, "state": "requested", "decided_by": None}, []),
        ({"starts_on": MAY, "state": "refused"}, []),
        ({"state": "ended"}, []),
        ({"starts_on": None}, [(None, dt.date(2027, 5, 12))]),
    ],
)
def test_an_exclusion_holds_for_its_days_only(days, expected, system, oscar, olga):
    """R10: to the earliest of its end, its basis's end and the look again."""
    sc_15 = factories.implementation(system, "sc-15")
    excluded(sc_15, oscar, olga, **days)
    rows = days_of(sc_15, days_sql.EXCLUSIONS_OF_WINDOW)
    assert [row[:2] for row in rows] == expected


def test_one_that_names_no_layers_rests_on_its_basis(system, oscar, olga):
    """As before exclusions named layers: void wherever another basis is in force."""
    sc_15 = factories.implementation(system, "sc-15")
    excluded(sc_15, oscar, olga, absent_layers=None, starts_on=None)
    si_2 = factories.implementation(system, "si-2")
    other = si_2.decision.basis
    first = sc_15.decisions.order_by("pk")[0]
    ResponsibilityDecision.objects.create(
        implementation=sc_15,
        basis=other,
        reference_version=first.reference_version,
        responsibility="customer",
        effective=DateRange(MAY, JULY),
    )
    rows = days_of(sc_15, days_sql.EXCLUSIONS_OF_WINDOW)
    assert [row[:2] for row in rows][-2:] == [
        (rows[-2][0], MAY),
        (JULY, dt.date(2027, 5, 12)),
    ]
