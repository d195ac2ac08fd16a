"""A second person accepts or rejects; of two at once the later learns who was first."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.errors import TransitionNotAllowed
from controls.models import AuditEvent, Role
from evidence.models import EvidenceLink, Proof, Review
from evidence.submissions.submit import withdraw
from tests.evidence import house as houses
from tests.evidence.house import House, give, submitted


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(db, store_folder) -> House:
    return houses.build()


@pytest.fixture
def link(house: House) -> EvidenceLink:
    return submitted(house)


def decide(client: Client, link: EvidenceLink, what: str = "accept", **said):
    return client.post(reverse(f"evidence:{what}", args=[link.uuid]), said)


def test_reviewer_sees_the_queue_oldest_first(client, house):
    first, second = submitted(house, "one"), submitted(house, "two")
    client.force_login(house.rita)
    page = client.get(reverse("evidence:queue")).content.decode()
    keys = [str(link.revision.uuid) for link in (first, second)]
    assert page.index(f"item={keys[0]}") < page.index(f"item={keys[1]}")
    assert "report.txt" in page


def test_queue_asks_as_often_for_ten_as_for_one(client, house):
    client.force_login(house.rita)
    submitted(house, "0")
    client.get(reverse("evidence:queue"))
    counts = []
    for more in (0, 9):
        for number in range(more):
            submitted(house, f"more {number}")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(reverse("evidence:queue"))
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_reviewer_accepts_and_it_is_on_record(client, house, link):
    client.force_login(house.rita)
    answer = decide(client, link, reason="Complete", version=link.version)
    assert answer.status_code == 302
    link.refresh_from_db()
    assert link.state == "accepted"
    review = Review.objects.get()
    assert (review.reviewer, review.digest) == (house.rita, link.revision.digest)
    assert Proof.objects.get(known_until=None).state == "accepted"
    event = AuditEvent.objects.get(verb="evidence.accepted")
    assert (event.actor, event.subject_uuid) == (house.rita, link.uuid)


def test_rejection_needs_a_reason(client, house, link):
    client.force_login(house.rita)
    answer = decide(client, link, "reject", reason="  ")
    assert answer.status_code == 400
    assert "Say why" in answer.content.decode()
    assert decide(client, link, "reject", reason="No date on it").status_code == 302
    link.refresh_from_db()
    assert link.state == "rejected"
    page = client.get(reverse("evidence:evidence", args=[link.revision.evidence.uuid]))
    assert "No date on it" in page.content.decode()


def test_submitter_cannot_accept_own_evidence(client, house, link):
    client.force_login(house.alice)
    answer = decide(client, link)
    assert answer.status_code == 403
    assert "other than the submitter" in answer.content.decode()


@pytest.mark.parametrize("name", ["bob", "audrey", "ray"])
def test_people_who_do_not_review_may_not_decide(client, house, link, name):
    client.force_login(house.people[name])
    assert decide(client, link).status_code == 403
    assert decide(client, link, "reject", reason="no").status_code == 403
    assert not Review.objects.exists()


def test_a_reviewer_removed_while_reviewing_decides_nothing(client, house, link):
    client.force_login(house.rita)
    assert str(link.uuid) in client.get(reverse("evidence:queue")).content.decode()
    house.rita.memberships.update(ends_at=clock.now())
    assert decide(client, link).status_code == 404
    give(house, "rita", Role.READER)
    assert decide(client, link).status_code == 403
    link.refresh_from_db()
    assert link.state == "submitted"


def test_outsider_finds_nothing_and_reading_does_not_decide(client, house, link):
    client.force_login(house.mallory)
    assert decide(client, link).status_code == 404
    client.force_login(house.rita)
    assert client.get(reverse("evidence:accept", args=[link.uuid])).status_code == 302


def test_second_reviewer_is_told_who_was_first(client, house, link):
    """RE-09."""
    client.force_login(house.rita)
    decide(client, link)
    client.force_login(house.raul)
    answer = decide(client, link, "reject", reason="no")
    assert answer.status_code == 409
    assert "Rita has already accepted this." in answer.content.decode()
    assert Review.objects.count() == 1


def test_stale_form_is_refused(client, house, link):
    client.force_login(house.rita)
    answer = decide(client, link, version=link.version + 1)
    assert answer.status_code == 409
    assert "changed since" in answer.content.decode()


def test_team_withdraws_with_a_reason_and_others_may_not(client, house, link):
    url = reverse("evidence:withdraw", args=[link.uuid])
    client.force_login(house.rita)
    assert client.post(url, {"reason": "mine?"}).status_code == 403
    client.force_login(house.alice)
    assert client.post(url, {"reason": ""}).status_code == 400
    assert client.post(url, {"reason": "Wrong month"}).status_code == 302
    link.refresh_from_db()
    assert link.state == "withdrawn"
    assert client.post(url, {"reason": "Again"}).status_code == 409
    assert AuditEvent.objects.filter(verb="evidence.withdrawn").count() == 1


def test_evidence_page_names_what_turns_when_it_lapses(client, house, link):
    link.accept(by=house.rita)
    client.force_login(house.alice)
    page = client.get(reverse("evidence:evidence", args=[link.revision.evidence.uuid]))
    text = page.content.decode()
    assert link.revision.files.get().blob.sha256 in text
    assert link.proves_to.isoformat() in text
    client.force_login(house.bob)
    hidden = reverse("evidence:evidence", args=[link.revision.evidence.uuid])
    assert client.get(hidden).status_code == 404


def test_decision_locks_the_row(house, link):
    with CaptureQueriesContext(connection) as asked:
        link.accept(by=house.rita)
    assert any("FOR UPDATE" in query["sql"] for query in asked)


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_make_one_review():
    house = houses.build()
    link = submitted(house)
    gate, refusals = threading.Barrier(2), []

    def judge(reviewer) -> None:
        try:
            mine = EvidenceLink.objects.get(pk=link.pk)
            gate.wait(timeout=10)
            mine.accept(by=reviewer)
        except TransitionNotAllowed as refusal:
            refusals.append(refusal.messages[0])
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=judge, args=[who]) for who in (house.rita, house.raul)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    winner = Review.objects.get().reviewer
    assert refusals == [f"{winner} has already accepted this."]
    assert AuditEvent.objects.filter(verb="evidence.accepted").count() == 1


def test_withdrawing_rests_on_the_locked_state(house, link):
    stale = EvidenceLink.objects.get(pk=link.pk)
    link.reject(by=house.rita, reason="no")
    with pytest.raises(TransitionNotAllowed):
        withdraw(stale, by=house.alice, reason="late")
