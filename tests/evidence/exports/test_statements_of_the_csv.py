"""R31: the CSV asks the database as often for a system that was changed in retrospect
many times, over many lots of controls, as for any other."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls.history.clock import knowledge_now
from controls.models import RetrospectiveChange
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import no_progress, scope_of
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import BEGINS, TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


def changed_in_retrospect(house: House, times: int) -> None:
    for number in range(times):
        RetrospectiveChange.objects.create(
            system=house.system,
            kind="component-end",
            reason=f"Change {number}",
            first_day=TODAY - 90 * DAY,
            requested_on=TODAY,
            requested_by=house.olivia,
            decided_by=house.rita,
            decided_at=BEGINS,
            state="approved",
        )


def statements(house: House, lot: int) -> int:
    scope = scope_of(house.system, TODAY, knowledge_now(), None, {})
    with (
        patch("evidence.exports.rows.status_rows.BATCH", lot),
        CaptureQueriesContext(connection) as queries,
    ):
        FORMATS["csv"].write(scope, io.BytesIO(), no_progress)
    return len(queries)


def test_many_changes_in_retrospect_cost_no_more_statements(house) -> None:
    changed_in_retrospect(house, 1)
    few = statements(house, 200)
    changed_in_retrospect(house, 7)
    assert statements(house, 200) == few <= 40
    # of each lot only its evidence, and what was removed of it
    assert statements(house, 1) == few + 2 * 3
