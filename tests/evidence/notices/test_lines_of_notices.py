"""Notices and mails are read by ask and by act, most urgent first; what is only
information comes last and is never counted as waiting (R31)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from controls import clock
from controls.models import User
from evidence.models import EvidenceLink, Notice, NoticeMail
from evidence.models.notices import NoticeKind
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from evidence.notices.lines import lines_counted, lines_of
from evidence.reviews.decide import Decision, decide_all
from evidence.submissions.submit import submit
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.notices import telling
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return telling.build(settings, tmp_path)


def mine(house: House, name: str) -> Any:
    return Notice.objects.visible_to(house.people[name]).filter(ended_at=None)


def words_of(client: Any, url: str = "/notices/") -> str:
    page = client.get(url).content.decode().partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def submitted_for_both(house: House) -> list[EvidenceLink]:
    """One upload for two controls."""
    first, other = house.requirement("cm-8"), house.requirement("si-2")
    link = submit(
        houses.patch_report(),
        [houses.store("both.txt", [b"both"])],
        requirement=first,
        also=[other],
        by=house.alice,
        today=TODAY,
    )
    return list(EvidenceLink.objects.filter(revision=link.revision).order_by("pk"))


def test_r11_one_submission_is_one_line_for_its_reviewer(client, house):
    """R11: with its controls; it waits until the last of them is decided."""
    first, second = submitted_for_both(house)
    gather_notices(clock.now())
    (notice,) = mine(house, "rita").filter(kind="to-review")
    assert notice.said["what"].startswith("CM-8, SI-2 ")
    first.accept(by=house.rita)
    gather_notices(clock.now())
    assert mine(house, "rita").filter(kind="to-review").get().pk == notice.pk
    second.accept(by=house.rita)
    gather_notices(clock.now())
    assert not mine(house, "rita").filter(kind="to-review").exists()


def test_r11_one_act_of_review_is_one_line_for_who_submitted(client, house):
    """R11: several submissions decided at once, and their controls."""
    links = [*submitted_for_both(house), submitted(house, "another")]
    decide_all([Decision(link.uuid, True, "") for link in links], by=house.rita)
    gather_notices(clock.now())
    (line,) = lines_of(mine(house, "alice").filter(kind="accepted"))
    assert len(line.notices) == 2
    assert line.sentence.startswith("2 of your submissions were accepted by Rita: “")
    assert line.only_information
    client.force_login(house.alice)
    assert line.sentence in words_of(client)


def test_r31_the_most_urgent_comes_first_and_news_is_not_counted(client, house):
    """R31: overdue before rejected before accepted; the mail counts what waits."""
    telling.asked_since(house, 22)
    accepted = submitted(house, "one", requirement=house.requirement("si-2"))
    accepted.accept(by=house.rita)
    gather_notices(clock.now())
    gather_notices(clock.now() + 20 * telling.DAY)
    lines = lines_of(mine(house, "alice"))
    kinds = [line.first.kind for line in lines]
    assert kinds == ["overdue", "accepted"]
    client.force_login(house.alice)
    words = words_of(client)
    assert words.index("was due on") < words.index("was accepted by")
    mail = NoticeMail.objects.create(user=house.alice, rows=2)
    Notice.objects.filter(user=house.alice).update(mail=mail)
    message = mailing.message(mail)
    assert "was due on" in message.subject  # the one thing that waits, and not two
    text = str(message.body)
    assert text.count("/work/") == 1
    assert text.index("was due on") < text.index("For your information:")
    assert text.index("For your information:") < text.index("was accepted by")


def test_a_line_of_several_is_marked_as_read_at_once(client, house):
    links = [submitted(house, "one"), submitted(house, "two")]
    decide_all([Decision(link.uuid, True, "") for link in links], by=house.rita)
    gather_notices(clock.now())
    client.force_login(house.alice)
    page = client.get("/notices/").content.decode()
    named = re.findall(r'name="notice"\s+value="([^"]+)"', page)
    assert len(named) == len(set(named)) >= 2
    accepted = mine(house, "alice").filter(kind="accepted")
    client.post("/notices/read/", {"notice": [row.uuid for row in accepted]})
    assert not accepted.unread().exists()
    assert client.post("/notices/read/", {"notice": "none"}).status_code == 404


def test_the_number_beside_notices_is_of_lines_that_wait_for_the_person(client, house):
    """R31: what was accepted, and what others have not shown, is not counted."""
    links = [submitted(house, "one"), submitted(house, "two")]
    decide_all([Decision(link.uuid, True, "") for link in links], by=house.rita)
    telling.asked_since(house, 22)
    gather_notices(clock.now())
    client.force_login(house.alice)
    shown = client.get("/notices/").context
    unread = [line for line in shown["lines"] if line.first.is_unread]
    waiting = [line for line in unread if not line.only_information]
    assert shown["header"]["unread"] == len(waiting) < len(unread)


def test_what_a_team_has_not_shown_is_one_line_for_an_officer(client, house):
    for ref_id, due in (("cm-8", "2026-03-05"), ("si-2", "2026-02-05")):
        Notice.objects.create(
            user=house.olivia,
            system=house.system,
            kind=NoticeKind.ESCALATED,
            key=f"late:{ref_id}",
            path="/",
            said={"team": "Platform", "what": ref_id, "day": due},
        )
    (line,) = lines_of(mine(house, "olivia").filter(kind="escalated"))
    assert line.sentence == (
        "Platform has not shown 2 things that are long overdue, the oldest due on"
        " 2026-02-05: “si-2”, “cm-8”."
    )
    assert line.path == "/systems/shop/controls/?team=Platform&sort=verdict"
    client.force_login(house.olivia)
    assert client.get(line.path).status_code == 200
    assert client.get("/notices/").context["header"]["unread"] == 0


KEYS = st.sampled_from(["a:1", "a:2", "b:1", "c"])
TOLD = st.fixed_dictionaries(
    {},
    optional={
        "act": st.sampled_from("xy"),
        "reason": st.sampled_from(["", "old"]),
        "team": st.sampled_from("pq"),
    },
)


@given(st.lists(st.tuples(st.sampled_from(NoticeKind), KEYS, TOLD), max_size=12))
def test_lines_are_counted_as_they_are_made(rows):
    """Of any notices the database counts as many lines as the page shows."""
    with transaction.atomic():
        person, _ = User.objects.get_or_create(email="lines@example.com")
        Notice.objects.bulk_create(
            Notice(user=person, kind=kind, key=f"{kind}:{key}:{n}", said=told, path="/")
            for n, (kind, key, told) in enumerate(rows)
        )
        notices = Notice.objects.filter(user=person)
        counted = notices.aggregate(lines=lines_counted(Q(read_at=None)))["lines"]
        assert counted == len(lines_of(notices))
        transaction.set_rollback(True)
