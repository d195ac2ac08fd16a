"""Notices and mails stay true: roles end, proof comes and goes, workers collide."""

from __future__ import annotations

import datetime as dt
import threading
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from controls import clock
from evidence.jobs.leases import due
from evidence.models import Blob, Notice, NoticeMail, RequirementControl
from evidence.models.notices import NoticePreference
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from evidence.requests.answers import answer
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.submissions.submit import withdraw
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, submitted
from tests.evidence.per_event import bring, listed, made_per_event
from tests.factories import set_terms

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def build(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.ESCALATE_AFTER_DAYS = 14
    made = houses.build()
    RequirementControl.objects.all().update(operates_from=TODAY + 800 * DAY)
    return made


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    return build(settings, tmp_path)


def asked_since(house: House, days: int) -> RequirementControl:
    """A monthly requirement in operation for some days."""
    requirement = house.requirement()
    RequirementControl.objects.filter(pk=requirement.pk).update(
        operates_from=TODAY - DAY * days
    )
    requirement.refresh_from_db()
    return requirement


def told(house: House, name: str, kind: str, *, days: int = 0) -> list[str]:
    gather_notices(clock.now() + DAY * days)
    mine = Notice.objects.visible_to(house.people[name]).filter(ended_at=None)
    return [each.sentence for each in mine.filter(kind=kind)]


def prefer(house: House, **frequencies: str) -> None:
    for name, frequency in frequencies.items():
        NoticePreference.objects.update_or_create(
            user=house.people[name], defaults={"frequency": frequency}
        )


def send_all(instant: dt.datetime) -> None:
    mailing.make_mails(instant)
    for pk in due(mailing.MAILS, instant).values_list("pk", flat=True):
        mailing.send(pk, instant)


def end_roles(house: House, name: str) -> None:
    house.people[name].memberships.update(ends_at=clock.now())


# --- auditors read only ---------------------------------------------------------


def test_an_auditor_opens_a_notice_and_marks_it_by_a_button(client, house):
    wish = RequestDraft("Tickets", ["cm-8"], house.team, TODAY + DAY)
    asked = request_evidence(house.system, wish, by=house.audrey)
    answer(asked, [submitted(house).revision.evidence], by=house.alice)
    gather_notices(clock.now())
    client.force_login(house.audrey)
    notice = Notice.objects.get(user=house.audrey, kind="answered")
    opened = client.get(f"/notices/{notice.uuid}/")
    assert opened.headers["Location"] == f"/requests/{asked.uuid}/"
    assert "Mark as read" in client.get("/notices/").content.decode()
    notice.refresh_from_db()
    assert notice.read_at is None
    client.post(f"/notices/{notice.uuid}/read/")
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_one_is_marked_and_the_others_stay(client, house):
    submitted(house, "one")
    submitted(house, "two")
    gather_notices(clock.now())
    client.force_login(house.rita)
    first = Notice.objects.filter(user=house.rita).first()
    others = Notice.objects.filter(user=house.raul)[0]
    assert client.post(f"/notices/{others.uuid}/read/").status_code == 404
    assert client.get(f"/notices/{first.uuid}/read/").status_code == 302
    client.post(f"/notices/{first.uuid}/read/")
    left = Notice.objects.visible_to(house.rita).unread()
    assert left.count() == 1
    assert first not in left


# --- AC-03: a role that ended ---------------------------------------------------


def test_ac_03_a_role_that_ended_takes_its_notices_along(client, house, postbox):
    prefer(house, alice="immediate", rita="off", raul="off", olivia="off")
    submitted(house).reject(by=house.rita, reason="No date on it")
    gather_notices(clock.now())
    notice = Notice.objects.get(user=house.alice, kind="rejected")
    end_roles(house, "alice")
    client.force_login(house.alice)
    assert "No date on it" not in client.get("/notices/").content.decode()
    assert client.get(f"/notices/{notice.uuid}/").status_code == 404
    assert client.get("/api/v1/notices/").json()["results"] == []
    send_all(clock.now())
    assert postbox.mails == []
    assert not NoticeMail.objects.exists()


@pytest.mark.parametrize("what", ["role", "account", "preference"])
def test_ac_03_a_mail_that_waits_asks_again_before_it_leaves(house, postbox, what):
    prefer(house, alice="immediate", rita="off", raul="off", olivia="off")
    submitted(house).reject(by=house.rita, reason="No date on it")
    instant = clock.now()
    gather_notices(instant)
    postbox.refusing = True
    send_all(instant)
    postbox.refusing = False
    if what == "role":
        end_roles(house, "alice")
    elif what == "account":
        house.alice.is_active = False
        house.alice.save(update_fields=["is_active"])
    else:
        prefer(house, alice="off")
    send_all(instant + MINUTE * 6)
    assert postbox.mails == []
    assert NoticeMail.objects.get().state == "dropped"
    assert not due(mailing.MAILS, instant + DAY).exists()


def test_a_mail_lists_only_what_one_may_still_see(house, postbox):
    prefer(house, alice="immediate", rita="off", raul="off", olivia="off")
    submitted(house).reject(by=house.rita, reason="No date on it")
    instant = clock.now()
    gather_notices(instant)
    seen = Notice.objects.get(user=house.alice)
    hidden = Notice.objects.create(
        user=house.alice,
        system=factories.make_system(house.olivia, slug="other", team=house.team),
        kind="rejected",
        key="another system's",
        said=seen.said | {"what": "Secret"},
        path="/",
    )
    (pk,) = mailing.make_mails(instant)
    Notice.objects.filter(pk=hidden.pk).update(mail=pk)  # as if the role had ended now
    NoticeMail.objects.filter(pk=pk).update(rows=2)
    assert mailing.send(pk, instant) == "sent"
    (mail,) = postbox.mails
    text, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())
    for body in (text, html):
        assert str(seen.uuid) in body
        assert "Secret" not in body
    assert "No date on it" in str(make_header(decode_header(mail["Subject"])))


# --- what comes and goes --------------------------------------------------------


def test_what_is_so_again_waits_again_and_is_mailed_once(house, postbox):
    prefer(house, alice="immediate", rita="off", raul="off", olivia="off")
    requirement = asked_since(house, 0)
    instant = clock.now() + 20 * DAY
    assert len(told(house, "alice", "overdue", days=20)) == 1
    send_all(instant)
    link = submitted(house, requirement=requirement)
    assert told(house, "alice", "overdue", days=20) == []
    withdraw(link, by=house.alice, reason="Wrong file")
    assert len(told(house, "alice", "overdue", days=20)) == 1
    send_all(instant + MINUTE)
    assert len(postbox.mails) == 1


def test_proof_never_shown_is_told_before_it_is_late(house):
    asked_since(house, 0)
    set_terms(RequirementControl.objects.all(), lead_days=0)
    assert told(house, "alice", "due-soon") == []
    set_terms(RequirementControl.objects.all(), lead_days=90)
    assert len(told(house, "alice", "due-soon")) == 1
    assert told(house, "alice", "overdue") == []


def test_a_file_that_cannot_be_scanned_is_told_once_it_is_certain(house):
    submitted(house)
    instant = clock.now()
    Blob.objects.update(scan_state="error", waiting_since=instant, attempts=1)
    assert told(house, "alice", "unscannable") == []
    Blob.objects.update(waiting_since=instant - dt.timedelta(hours=1))
    assert len(told(house, "alice", "unscannable")) == 1
    Blob.objects.update(waiting_since=None, given_up_at=instant)
    for name in ("alice", "olivia"):
        assert told(house, name, "unscannable") == [
            "“report.txt” could not be scanned for viruses."
        ]
    assert told(house, "bob", "unscannable") == []
    Blob.objects.update(scan_state="clean")
    assert told(house, "alice", "unscannable") == []


def test_reviewers_are_told_which_population_waits(client, house):
    requirement = made_per_event(house)
    client.force_login(house.alice)
    population = bring(client, requirement, list=file("changes.csv", listed()))
    assert len(told(house, "rita", "to-review")) == 1
    assert told(house, "alice", "to-review") == []
    notice = Notice.objects.get(user=house.rita, kind="to-review")
    assert notice.path == f"/populations/{population.uuid}/"


def test_a_sentence_is_one_line(house):
    said = {"what": "A\r\n- Accepted: B\u2028C", "who": "Rita"}
    notice = Notice(user=house.rita, kind="accepted", key="x", said=said, path="/")
    assert notice.sentence == "“A - Accepted: B C” was accepted by Rita."


# --- two workers ----------------------------------------------------------------


def test_one_run_gathers_at_a_time(house):
    with CaptureQueriesContext(connection) as run:
        gather_notices(clock.now())
    said = [each["sql"] for each in run if "SAVEPOINT" not in each["sql"]]
    assert "pg_advisory_xact_lock" in said[0]


def test_the_person_is_locked_while_a_mail_is_made(house):
    prefer(house, rita="immediate")
    submitted(house)
    gather_notices(clock.now())
    with CaptureQueriesContext(connection) as run:
        mailing.make_mails(clock.now())
    assert any("FOR NO KEY UPDATE" in each["sql"] for each in run)


def test_a_second_daily_mail_is_not_made_by_a_slower_worker(house):
    prefer(house, rita="daily", raul="off", olivia="off")
    submitted(house, "one")
    instant = clock.now()
    since = mailing.slot("daily", instant)
    gather_notices(instant)
    assert len(mailing.make_mails(instant)) == 1
    submitted(house, "two")
    gather_notices(instant)
    assert mailing._queue(house.rita.pk, since, instant) == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_and_mail_once(settings, tmp_path, postbox):
    house = build(settings, tmp_path)
    prefer(house, rita="immediate", raul="off", olivia="off")
    submitted(house)
    instant, gate = clock.now(), threading.Barrier(2)

    def work() -> None:
        try:
            gate.wait(timeout=10)
            gather_notices(instant)
            send_all(instant)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert Notice.objects.filter(user=house.rita).count() == 1
    assert NoticeMail.objects.count() == 1
    assert len(postbox.mails) == 1
