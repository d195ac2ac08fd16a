"""R11, R14 to R16, R31: what stands beside a window's counts is in every export."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from evidence.exports.formats.status_csv import COLUMNS, lines
from evidence.exports.rows.status_rows import documents
from evidence.status.gather import Moment
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(oscar, platform):
    """A system asked from 20 August on, judged after its window of 2026 has ended."""
    asked_from = dt.date(2026, 8, 20)
    system = factories.make_system(
        oscar, slug="midyear", team=platform, asked_from=asked_from
    )
    moment = Moment(dt.date(2027, 2, 1))
    return list(documents(system, moment, (system.window_start, system.window_end)))


def test_every_key_is_told_of_a_window_with_unasked_days(rows):
    """R11: 231 days before 20 August, told beside the counts, with the reasons."""
    (document,) = [row for row in rows if row["control_id"] == "si-2"]
    period = document["period"]
    assert (period["unasked_days"], period["asked_from"]) == (231, "2026-08-20")
    assert period["result"] == "exceptions"
    assert "asked_from" in [reason["code"] for reason in period["reasons"]]
    counts = ("recorded_late", "within_grace", "cut_short", "waived", "before_window")
    assert [period[name] for name in counts] == [0, 0, 0, 0, 0]


def test_new_columns_stand_at_the_end_of_the_csv(rows):
    """Scripts that count columns from the left go on."""
    text = b"".join(lines(rows)).decode()
    table = list(csv.DictReader(io.StringIO(text)))
    assert COLUMNS.index("recorded_late") > COLUMNS.index("marks")
    (row,) = [row for row in table if row["control_id"] == "si-2"]
    assert (row["unasked_days"], row["asked_from"]) == ("231", "2026-08-20")
    assert "asked_from" in row["period_reasons"]
    assert row["period_result"] == "exceptions"
