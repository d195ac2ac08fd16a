"""UP-12: uploads of a team are counted one by one, and hardly wait for each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evidence.models import Evidence
from evidence.models.quotas import TeamDay
from evidence.submissions import uploads
from evidence.submissions.quotas import TooManyFiles
from tests.evidence import house as houses
from tests.evidence.house import House, file, submitted
from tests.evidence.per_event import listed, made_per_event, said, url
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


def test_up_12_who_came_at_the_same_moment_is_counted(house, settings, monkeypatch):
    settings.TEAM_FILES_PER_DAY = 1
    submitted(house, "one")
    # As when the other's count was not committed yet when this one was looked at.
    monkeypatch.setattr(uploads, "refuse_beyond", lambda *said: None)
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


def bulk_plan(client, text: bytes):
    rows = f"file,control,performed_on\na.txt,CM-8,{TODAY}\n".encode()
    sent = {"list": file("list.csv", rows), "files": [file("a.txt", text)]}
    return client.post("/systems/shop/upload/", sent)


def test_up_12_a_plan_counts_whether_or_not_it_is_confirmed(client, house, settings):
    """Its bytes lie in the store for a day, whatever becomes of it."""
    settings.MFA_REQUIRED = False
    settings.TEAM_FILES_PER_DAY = 2
    house.requirement("cm-8")
    client.force_login(house.alice)
    assert bulk_plan(client, b"never confirmed").status_code == 200
    assert TeamDay.objects.get().files == 1
    last = bulk_plan(client, b"the last of the day")
    assert TeamDay.objects.get().files == 2
    refused = bulk_plan(client, b"one too many")
    assert refused.status_code == 429
    assert "2 files a day" in refused.content.decode()
    assert len(stored(settings)) == 2
    # what was counted as it was planned is recorded, and not counted again
    token = {"token": last.context["token"]}
    assert client.post("/systems/shop/upload/confirm/", token).status_code == 302
    assert Evidence.objects.count() == 1
    assert TeamDay.objects.get().files == 2


def test_up_12_a_population_counts_as_it_is_previewed(client, house, settings):
    settings.MFA_REQUIRED = False
    settings.TEAM_FILES_PER_DAY = 1
    requirement = made_per_event(house)
    client.force_login(house.alice)
    first = client.post(url(requirement), said(list=file("a.csv", listed())))
    assert first.context["preview"].token
    other = listed(11)
    second = client.post(url(requirement), said(list=file("b.csv", other)))
    assert "1 file a day" in second.content.decode()
    assert len(stored(settings)) == 1
    token = {"token": first.context["preview"].token}
    assert client.post(url(requirement, "confirm/"), token).status_code == 302
    assert TeamDay.objects.get().files == 1


def stored(settings) -> list[Path]:
    folder = Path(settings.EVIDENCE_STORE)
    return [path for path in folder.rglob("*") if path.is_file()]
