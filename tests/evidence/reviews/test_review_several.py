"""A reviewer decides many links in one step: every one with its reason, or none."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.errors import TransitionNotAllowed
from controls.models import AuditEvent
from evidence.models import EvidenceLink, Review
from evidence.reviews.decide import Decision, SomeRefused, decide_all
from tests.evidence import house as houses
from tests.evidence.house import House, submitted

URL = "/review/several/"


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(db, store_folder) -> House:
    return houses.build()


def say(*decisions: tuple[EvidenceLink, str, str]) -> dict[str, str]:
    said = {}
    for link, what, reason in decisions:
        said |= {
            f"decision-{link.uuid}": what,
            f"reason-{link.uuid}": reason,
            f"version-{link.uuid}": str(link.version),
        }
    return said


def states(*links: EvidenceLink) -> list[str]:
    return [EvidenceLink.objects.get(pk=link.pk).state for link in links]


def test_each_decision_is_recorded_with_its_reason(client, house):
    one, two, three = (submitted(house, text) for text in ("one", "two", "three"))
    client.force_login(house.rita)
    said = say((one, "accept", ""), (two, "reject", "No date on it"), (three, "", ""))
    assert client.post(URL, said).status_code == 302
    assert states(one, two, three) == ["accepted", "rejected", "submitted"]
    assert Review.objects.get(link=two).reason == "No date on it"
    verbs = AuditEvent.objects.values_list("verb", flat=True)
    assert {"evidence.accepted", "evidence.rejected"} <= set(verbs)


def test_one_refusal_refuses_all_and_nothing_typed_is_lost(client, house):
    one, two = submitted(house, "one"), submitted(house, "two")
    client.force_login(house.rita)
    said = say((one, "accept", "Fine"), (two, "reject", ""))
    answer = client.post(URL, said)
    assert answer.status_code == 409
    assert states(one, two) == ["submitted", "submitted"]
    page = answer.content.decode()
    assert "Say why, and what to change." in page
    assert "Fine</textarea>" in page
    assert not Review.objects.exists()


def test_what_somebody_decided_meanwhile_refuses_all(client, house):
    one, two = submitted(house, "one"), submitted(house, "two")
    two.accept(by=house.raul)
    client.force_login(house.rita)
    with pytest.raises(SomeRefused) as refusal:
        decide_all(
            [Decision(one.uuid, accept=True), Decision(two.uuid, accept=True)],
            by=house.rita,
        )
    assert list(refusal.value.by_link) == [two.uuid]
    assert "Raul has already accepted this." in refusal.value.messages[0]
    assert states(one) == ["submitted"]


def test_nobody_decides_their_own_or_without_the_role(client, house):
    link = submitted(house)
    for name in ("alice", "audrey", "ray", "mallory"):
        client.force_login(house.people[name])
        assert client.post(URL, say((link, "accept", ""))).status_code == 409
    assert states(link) == ["submitted"]


def test_choosing_nothing_and_nonsense_is_said(client, house):
    link = submitted(house)
    client.force_login(house.rita)
    assert client.post(URL, say((link, "", ""))).status_code == 422
    nonsense = {"decision-x": "accept", f"decision-{link.uuid}": "burn"}
    assert client.post(URL, nonsense).status_code == 422


def test_a_version_longer_than_any_is_no_version(client, house):
    """A number that Python refuses to read is not a failure of the page."""
    link = submitted(house)
    client.force_login(house.rita)
    said = say((link, "accept", "")) | {f"version-{link.uuid}": "9" * 5000}
    assert client.post(URL, said).status_code == 302
    assert states(link) == ["accepted"]


def test_as_many_queries_for_ten_rows_as_for_one(client, house):
    client.force_login(house.rita)
    submitted(house, "0")
    client.get(URL)
    counts = []
    for more in (0, 9):
        for number in range(more):
            submitted(house, f"more {number}")
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("evidence:review_several"))
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_and_single_reviews_never_wait_for_each_other_forever(house):
    links = [submitted(house, f"{number}") for number in range(6)]
    all_of_them = [Decision(link.uuid, accept=True) for link in reversed(links)]
    outcomes: list[str] = []

    def bulk() -> None:
        try:
            decide_all(all_of_them, by=house.rita)
            outcomes.append("bulk")
        except SomeRefused:
            outcomes.append("bulk refused")
        finally:
            connections.close_all()

    def single(link: EvidenceLink) -> None:
        try:
            link.accept(by=house.raul)
            outcomes.append("single")
        except TransitionNotAllowed:
            outcomes.append("single refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=bulk)]
    threads += [threading.Thread(target=single, args=[link]) for link in links[::2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(outcomes) == 4
    assert Review.objects.count() == (
        6 if "bulk" in outcomes else outcomes.count("single")
    )


@pytest.mark.django_db
def test_rows_are_locked_in_the_order_of_their_keys_before_anything_is_written(house):
    links = [submitted(house, f"{number}") for number in range(3)]
    with CaptureQueriesContext(connection) as asked:
        decide_all([Decision(link.uuid, accept=True) for link in links], by=house.rita)
    spoken = [query["sql"] for query in asked]
    locks = [n for n, sql in enumerate(spoken) if "FOR UPDATE" in sql]
    writes = [n for n, sql in enumerate(spoken) if sql.startswith(("UPDATE", "INSERT"))]
    assert len(locks) == 1
    assert "ORDER BY" in spoken[locks[0]]
    assert locks[0] < min(writes)
    chain = [n for n, sql in enumerate(spoken) if "pg_advisory_xact_lock" in sql]
    assert len(chain) == 1
    assert chain[0] > max(w for w in writes if "auditevent" not in spoken[w])


@pytest.mark.parametrize("second", ["accept", "reject"])
def test_one_link_named_twice_in_one_decision_is_refused(client, house, second):
    """R17: neither word wins over the other without anybody seeing it."""
    link, other = submitted(house, "one"), submitted(house, "two")
    client.force_login(house.rita)
    fields = say((link, "accept", "Good"), (other, "accept", ""))
    fields[f"decision-{link.uuid}"] = ["accept", second]
    page = client.post(URL, fields)
    assert page.status_code == 409
    assert "Decide it once" in page.content.decode()
    body = [
        {"link": str(link.uuid), "accept": True},
        {"link": str(link.uuid), "accept": second == "accept", "reason": "No date"},
    ]
    answer = client.post(
        "/api/v1/evidence/decide/", body, content_type="application/json"
    )
    assert answer.status_code == 409
    assert "Decide it once" in answer.json()["detail"]
    assert states(link, other) == ["submitted", "submitted"]
    assert not Review.objects.exists()


def test_more_decisions_than_are_taken_at_once_are_refused(client, house):
    """101 of them: a sentence, by page and API."""
    link = submitted(house, "one")
    client.force_login(house.rita)
    strangers = [uuid.uuid4() for _ in range(100)]
    fields = say((link, "accept", "")) | {
        f"decision-{stranger}": "accept" for stranger in strangers
    }
    page = client.post(URL, fields)
    assert page.status_code == 409
    assert "at most 100" in page.content.decode()
    body = [{"link": str(row), "accept": True} for row in [link.uuid, *strangers]]
    answer = client.post(
        "/api/v1/evidence/decide/", body, content_type="application/json"
    )
    assert answer.status_code == 400
    assert states(link) == ["submitted"]
