"""People are told once what waits for them, in a list and by mail as they chose."""

from __future__ import annotations

import datetime as dt
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from controls.models import AuditEvent, Role
from controls.responsibility.overrides import request_override
from evidence.jobs.leases import due
from evidence.models import (
    Blob,
    EvidenceRequest,
    EvidenceRequirement,
    Notice,
    NoticeMail,
    NoticePreference,
)
from evidence.models.notices import SENTENCES, NoticeKind
from evidence.notices import mailing
from evidence.notices.gathering import BATCH, gather_notices
from evidence.requests.answers import answer, decide_answer
from evidence.requests.requests import RequestDraft, request_evidence
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, person, submitted

pytestmark = pytest.mark.django_db
NOON = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.ESCALATE_AFTER_DAYS = 14
    found = houses.build()
    EvidenceRequirement.objects.all().update(operates_from=TODAY + DAY)  # not asked yet
    return found


def told(house: House, name: str, kind: str | None = None) -> list[str]:
    gather_notices(timezone.now())
    mine = Notice.objects.visible_to(house.people[name]).filter(ended_at=None)
    return [each.sentence for each in mine if kind in {None, each.kind}]


def asked_since(house: House, days: int) -> EvidenceRequirement:
    """A monthly requirement whose first period began some days ago."""
    requirement = house.requirement()
    EvidenceRequirement.objects.filter(pk=requirement.pk).update(
        operates_from=TODAY - dt.timedelta(days=days)
    )
    requirement.refresh_from_db()
    return requirement


# --- what is told to whom -------------------------------------------------------


def test_the_team_is_told_once_that_proof_is_overdue(house):
    asked_since(house, 60)
    assert any(" was due on " in each for each in told(house, "alice", "overdue"))
    before = Notice.objects.count()
    told(house, "alice")
    assert Notice.objects.count() == before
    assert told(house, "bob", "overdue") == []


def test_what_is_overdue_for_long_reaches_the_officers_once(house, settings):
    asked_since(house, 90)
    assert len(told(house, "olivia", "escalated")) == 1
    assert len(told(house, "olivia", "escalated")) == 1
    settings.ESCALATE_AFTER_DAYS = 400
    assert told(house, "olivia", "escalated") == []


def test_proof_that_runs_out_soon_is_told_by_its_lead_days(house):
    requirement = asked_since(house, 20)
    link = submitted(house, requirement=requirement)
    link.accept(by=house.rita)
    EvidenceRequirement.objects.update(lead_days=0)
    assert told(house, "alice", "due-soon") == []
    EvidenceRequirement.objects.update(lead_days=90)
    (said,) = told(house, "alice", "due-soon")
    assert "is due on" in said


def test_reviewers_are_told_what_waits_and_it_ends_when_decided(house):
    link = submitted(house)
    assert len(told(house, "rita", "to-review")) == 1
    assert told(house, "alice", "to-review") == []
    link.accept(by=house.rita)
    assert told(house, "raul", "to-review") == []
    over = Notice.objects.get(user=house.raul, kind="to-review")
    assert over.ended_at is not None


def test_the_submitter_learns_the_decision_with_its_reason(house):
    submitted(house, "one").accept(by=house.rita)
    submitted(house, "two").reject(by=house.rita, reason="No date on it")
    sentences = told(house, "alice")
    assert "“Patch report” was accepted by Rita." in sentences
    assert "“Patch report” was rejected by Rita: No date on it" in sentences


def test_other_officers_are_told_what_to_approve(house):
    house.people["otto"] = person("otto")
    give(house, "otto", Role.OFFICER)
    request_override(
        factories.implementation(house.system, "cm-8"),
        responsibility="customer",
        reason="Ours",
        citation="Letter",
        starts_on=TODAY,
        ends_on=TODAY + DAY,
        by=house.olivia,
    )
    assert len(told(house, "otto", "to-approve")) == 1
    assert told(house, "olivia", "to-approve") == []


def test_a_virus_is_told_to_its_uploader_and_the_officers(house):
    submitted(house)
    Blob.objects.update(scan_state="infected", scanned_at=timezone.now())
    said = "A virus was found in “report.txt”."
    assert said in told(house, "alice")
    assert said in told(house, "olivia")
    assert said not in told(house, "bob")


def test_unread_reports_are_told_to_those_who_may_read_them(house):
    report = factories.make_report(
        factories.make_artifact(house.olivia, ["pe-3"]), TODAY - DAY * 99, TODAY
    )
    assert len(told(house, "rita", "to-read")) == 1
    assert told(house, "olivia", "to-read") == []
    factories.rely_on(report, house.system, by=house.rita)
    assert told(house, "raul", "to-read") == []


def test_requests_are_told_to_the_team_and_answers_to_the_asker(house):
    wish = RequestDraft("Tickets", ["cm-8"], house.team, TODAY + DAY)
    asked = request_evidence(house.system, wish, by=house.audrey)
    assert told(house, "alice", "asked") == [
        f"Audrey asks to see “Tickets” by {TODAY + DAY}."
    ]
    assert told(house, "bob", "asked") == []
    answer(asked, [submitted(house).revision.evidence], by=house.alice)
    assert told(house, "alice", "asked") == []
    assert told(house, "audrey", "answered") == ["“Tickets” was answered by Alice."]
    decide_answer(asked, accept=False, reason="No dates", by=house.audrey)
    assert "No dates" in told(house, "alice", "returned")[0]
    EvidenceRequest.objects.update(due_on=TODAY - DAY)
    for name in ("alice", "audrey", "olivia"):
        assert len(told(house, name, "asked-overdue")) == 1


def test_ac_03_whose_role_ended_is_told_nothing(house):
    submitted(house)
    house.rita.memberships.update(ends_at=timezone.now())
    house.raul.is_active = False
    house.raul.save()
    assert told(house, "rita") == []
    assert told(house, "raul") == []
    assert told(house, "mallory") == []


def test_every_kind_has_its_sentence():
    said = dict.fromkeys(["what", "who", "day", "reason", "team"], "x")
    assert set(NoticeKind) == set(SENTENCES)
    assert all(text.format(**said) for text in SENTENCES.values())


def test_the_database_is_asked_as_often_for_many(house):
    submitted(house, "0")
    gather_notices(timezone.now())
    reads = []
    for more in (0, 50):
        for number in range(more):
            name = f"reviewer{number}"
            house.people[name] = person(name)
            give(house, name, Role.REVIEWER)
            submitted(house, f"more {number}")
        with CaptureQueriesContext(connection) as run:
            new = gather_notices(timezone.now()).new
        said = [each["sql"].partition(" ")[0] for each in run]
        reads.append(said.count("SELECT"))
        assert said.count("INSERT") == -(-new // BATCH)
    assert new > BATCH
    assert reads[0] == reads[1]


# --- the list -------------------------------------------------------------------


def test_the_list_opens_the_one_item_and_counts_in_the_header(client, house):
    link = submitted(house)
    gather_notices(timezone.now())
    client.force_login(house.rita)
    page = client.get("/notices/").content.decode()
    assert "waits for your review" in page
    assert '1<span class="visually-hidden"> unread' in page
    notice = Notice.objects.get(user=house.rita)
    opened = client.get(f"/notices/{notice.uuid}/")
    evidence = link.revision.evidence.uuid
    assert opened.headers["Location"] == f"/evidence/{evidence}/"
    page = client.get("/notices/?show=unread").content.decode()
    assert "0 notices" in page
    assert " waiting</span>" in page


def test_all_are_marked_as_read(client, house):
    submitted(house, "one")
    submitted(house, "two")
    gather_notices(timezone.now())
    client.force_login(house.rita)
    client.post("/notices/read/")
    assert not Notice.objects.unread().filter(user=house.rita).exists()
    assert Notice.objects.unread().filter(user=house.raul).count() == 2


def test_nobody_reads_anothers(client, house):
    submitted(house)
    gather_notices(timezone.now())
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
    gather_notices(timezone.now())
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


# --- mail -----------------------------------------------------------------------


def choose(house: House, name: str, frequency: str) -> None:
    NoticePreference.objects.update_or_create(
        user=house.people[name], defaults={"frequency": frequency}
    )


def run(instant: dt.datetime) -> None:
    """What beat does every minute."""
    gather_notices(instant)
    mailing.make_mails(instant)
    for mail in due(mailing.MAILS, instant):
        mailing.send(mail.pk, instant)


def test_one_mail_however_many_rows(house, postbox):
    choose(house, "rita", "immediate")
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    for number in range(60):
        submitted(house, str(number))
    run(NOON)
    (mail,) = postbox.mails
    assert mail["To"] == "rita@example.test"
    assert mail["Subject"] == "SRM: 60 things wait for you"
    text, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())
    assert text.count("/notices/") == 50 + 2  # each row, the list, the settings
    assert "And 10 more" in text
    assert html.count("<li>") == 50
    assert "http://localhost:8000/notices/" in text
    run(NOON + dt.timedelta(minutes=1))
    assert len(postbox.mails) == 1
    assert NoticeMail.objects.get().state == "sent"


def test_names_with_line_breaks_add_no_header(house, postbox):
    choose(house, "rita", "immediate")
    link = submitted(house)
    evidence = link.revision.evidence
    evidence.title = "One\r\nBcc: all@example.test"
    evidence.save(update_fields=["title"])
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    run(NOON)
    (mail,) = postbox.mails
    assert mail["Bcc"] is None
    subject = str(make_header(decode_header(mail["Subject"])))
    assert "One Bcc: all@example.test" in " ".join(subject.split())


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [("immediate", 4), ("daily", 2), ("weekly", 1), ("off", 0)],
)
def test_mail_comes_as_often_as_chosen(house, postbox, frequency, expected):
    monday = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    choose(house, "rita", frequency)
    moments = (monday, monday + dt.timedelta(hours=3), monday + DAY, monday + DAY * 1.1)
    for number, moment in enumerate(moments):
        submitted(house, str(number))
        run(moment)
    assert len(postbox.mails) == expected


def test_a_mail_that_fails_is_tried_again_and_sent_once(house, postbox):
    choose(house, "rita", "immediate")
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    submitted(house)
    postbox.refusing = True
    run(NOON)
    mail = NoticeMail.objects.get()
    assert (mail.state, mail.attempts) == ("failed", 1)
    assert "Not now" in mail.error
    postbox.refusing = False
    run(NOON + dt.timedelta(minutes=1))
    assert postbox.mails == []
    run(NOON + dt.timedelta(minutes=6))
    assert len(postbox.mails) == 1
    run(NOON + dt.timedelta(minutes=60))
    assert len(postbox.mails) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.error) == ("sent", "")


def test_two_workers_send_one_mail(house, postbox):
    choose(house, "rita", "immediate")
    submitted(house)
    gather_notices(NOON)
    (pk, *_) = mailing.make_mails(NOON)
    assert mailing.make_mails(NOON) == []
    NoticeMail.objects.filter(pk=pk).update(
        state="sending", leased_until=NOON + dt.timedelta(minutes=10)
    )
    assert mailing.send(pk, NOON) == "sending"
    assert postbox.mails == []


def test_a_server_that_is_away_is_said(house, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    choose(house, "rita", "immediate")
    submitted(house)
    run(NOON)
    assert "refused" in NoticeMail.objects.filter(user=house.rita).get().error
