"""UP-12: uploads of a team are counted one by one, and hardly wait for each other."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evidence.models import Evidence
from evidence.models.quotas import TeamDay
from evidence.submissions import records
from evidence.submissions.quotas import TooManyFiles
from tests.evidence import house as houses
from tests.evidence.house import House, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


def test_up_12_who_came_at_the_same_moment_is_counted(house, settings, monkeypatch):
    settings.TEAM_FILES_PER_DAY = 1
    submitted(house, "one")
    # As when the other's count was not committed yet when this one was looked at.
    monkeypatch.setattr(records, "refuse_beyond", lambda *said: None)
    with pytest.raises(TooManyFiles, match="1 file a day"):
        submitted(house, "two")
    assert Evidence.objects.count() == 1
    assert TeamDay.objects.get().files == 1


def test_up_12_the_count_is_locked_last_but_for_the_audit_log(house):
    submitted(house, "one")
    with CaptureQueriesContext(connection) as run:
        submitted(house, "two")
    writes = [
        each["sql"] for each in run if each["sql"].split()[0] in ("INSERT", "UPDATE")
    ]
    assert "evidence_teamday" in writes[-2]
    assert "controls_auditevent" in writes[-1]
