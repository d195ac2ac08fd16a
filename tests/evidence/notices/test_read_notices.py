"""The list of notices: opened, marked, counted; how often mail comes is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from controls import clock
from controls.models import AuditEvent
from evidence.models import (
    Notice,
    NoticePreference,
)
from evidence.notices.gathering import gather_notices
from tests import factories
from tests.evidence.house import House, submitted
from tests.evidence.notices import telling

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return telling.build(settings, tmp_path)


def test_the_list_opens_the_one_item_and_counts_in_the_header(client, house):
    link = submitted(house)
    gather_notices(clock.now())
    client.force_login(house.rita)
    page = client.get("/notices/").content.decode()
    assert "waits for your review" in page
    assert '1<span class="visually-hidden"> to act on' in page
    notice = Notice.objects.get(user=house.rita)
    opened = client.get(f"/notices/{notice.uuid}/")
    evidence = link.revision.evidence.uuid
    assert opened.headers["Location"] == f"/evidence/{evidence}/"
    assert Notice.objects.unread().filter(pk=notice.pk).exists()  # AZ-08
    client.post(f"/notices/{notice.uuid}/read/")
    page = client.get("/notices/?show=unread").content.decode()
    assert "0 notices" in page
    assert '1<span class="visually-hidden"> to do</span>' in page


def test_all_are_marked_as_read(client, house):
    submitted(house, "one")
    submitted(house, "two")
    gather_notices(clock.now())
    client.force_login(house.rita)
    client.post("/notices/read/")
    assert not Notice.objects.unread().filter(user=house.rita).exists()
    assert Notice.objects.unread().filter(user=house.raul).count() == 2


def test_nobody_reads_anothers(client, house):
    submitted(house)
    gather_notices(clock.now())
    notice = Notice.objects.get(user=house.rita)
    client.force_login(house.olivia)
    assert client.get(f"/notices/{notice.uuid}/").status_code == 404
    assert "0 notices" in client.get("/notices/?kind=rejected").content.decode()
    root = factories.make_user("root", is_superuser=True)
    client.force_login(root)
    assert client.get(f"/notices/{notice.uuid}/").status_code == 404


def test_the_preference_is_chosen_and_recorded(client, house):
    client.force_login(house.rita)
    assert client.post("/notices/settings/", {"frequency": "hourly"}).status_code == 400
    client.post("/notices/settings/", {"frequency": "weekly"})
    assert NoticePreference.objects.get(user=house.rita).frequency == "weekly"
    assert AuditEvent.objects.filter(verb="notices.chosen").count() == 1


def test_the_api_lists_marks_and_chooses(client, house):
    submitted(house)
    gather_notices(clock.now())
    client.force_login(house.rita)
    (row,) = client.get("/api/v1/notices/?unread=1").json()["results"]
    assert row["kind"] == "to-review"
    read = client.post(f"/api/v1/notices/{row['uuid']}/read/")
    assert read.json()["read_at"]
    assert client.post("/api/v1/notices/read-all/").json() == {"marked": 0}
    path, kind = "/api/v1/notice-preference/", "application/json"
    assert client.get(path).json() == {"frequency": "daily"}
    put = client.put(path, {"frequency": "off"}, content_type=kind)
    assert put.json() == {"frequency": "off"}
    wrong = client.put(path, {"frequency": "x"}, content_type=kind)
    assert wrong.status_code == 400
