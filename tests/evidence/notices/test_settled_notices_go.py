"""Notices do not grow for ever: settled ones go, what waits and is news stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from controls import clock
from evidence.models import Notice, NoticeMail
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from evidence.notices.settled import forget_settled
from evidence.tasks import sweep_store
from tests.evidence.house import House, submitted
from tests.evidence.notices import telling
from tests.evidence.notices.telling import DAY, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.NOTICES_KEPT_DAYS = 90
    return telling.build(settings, tmp_path)


def kinds_of(house: House, name: str) -> list[str]:
    rows = Notice.objects.filter(user=house.people[name]).order_by("kind")
    return list(rows.values_list("kind", flat=True))


def test_what_is_over_goes_the_day_after_it_was_kept_for(house):
    link = submitted(house)
    told(house, "rita")
    link.accept(by=house.rita)
    told(house, "rita")
    assert kinds_of(house, "rita") == ["to-review"]
    forget_settled(clock.now() + 89 * DAY)
    assert kinds_of(house, "rita") == ["to-review"]
    assert forget_settled(clock.now() + 91 * DAY) > 0
    assert kinds_of(house, "rita") == []


def test_news_goes_once_it_was_read_and_waits_until_then(client, house):
    submitted(house).accept(by=house.rita)
    told(house, "alice")
    forget_settled(clock.now() + 91 * DAY)
    assert kinds_of(house, "alice") == ["accepted"]
    client.force_login(house.alice)
    notice = Notice.objects.get(user=house.alice)
    client.post(f"/notices/{notice.uuid}/read/")
    forget_settled(clock.now() + 89 * DAY)
    assert kinds_of(house, "alice") == ["accepted"]
    forget_settled(clock.now() + 91 * DAY)
    assert kinds_of(house, "alice") == []
    assert (
        "There are no notices for you yet." in client.get("/notices/").content.decode()
    )


def test_what_waits_stays_though_it_was_read_long_ago(house):
    submitted(house)
    gather_notices(clock.now())
    Notice.objects.update(read_at=clock.now() - 400 * DAY)
    assert forget_settled(clock.now()) == 0
    assert kinds_of(house, "rita") == ["to-review"]


def test_what_would_be_told_again_stays(house):
    """A read rejection of last week is told by its source still: never twice."""
    submitted(house).reject(by=house.rita, reason="No date on it")
    gather_notices(clock.now())
    Notice.objects.update(read_at=clock.now() - 400 * DAY)
    forget_settled(clock.now())
    gather_notices(clock.now())
    mine = Notice.objects.filter(user=house.alice, kind="rejected")
    assert [notice.read_at is None for notice in mine] == [False]


def test_the_nightly_task_takes_mails_that_tell_nothing_more(house):
    submitted(house)
    gather_notices(clock.now())
    mailing.make_mails(clock.now())
    long_ago = clock.now() - 400 * DAY
    NoticeMail.objects.update(state="sent", created_at=long_ago, sent_at=long_ago)
    Notice.objects.filter(user=house.rita).update(key="gone", ended_at=long_ago)
    sweep_store()
    left = set(NoticeMail.objects.values_list("user__name", flat=True))
    assert "Rita" not in left
    assert "Raul" in left
    assert kinds_of(house, "raul") == ["to-review"]


def test_a_fact_that_was_not_stored_is_said_and_the_list_opens(client, house):
    submitted(house)
    gather_notices(clock.now())
    notice = Notice.objects.get(user=house.rita)
    Notice.objects.filter(pk=notice.pk).update(said={"what": "AC-2 Patch report"})
    client.force_login(house.rita)
    sentence = "“AC-2 Patch report” by (not recorded) waits for your review."
    one = client.get(f"/api/v1/notices/{notice.uuid}/")
    assert (one.status_code, one.json()["sentence"]) == (200, sentence)
    assert sentence in client.get("/notices/").content.decode()
