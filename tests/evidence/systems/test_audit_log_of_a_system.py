"""AU-01, AC-02: officers read who did what in their system, narrowed, and take it away.

Nobody else opens the list; a file of it is recorded, and holds nothing that runs. The
pages of evidence, requests, roles and the like show the events about themselves.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import event_log
from controls.models import AuditEvent
from controls.models.audit import about
from evidence.models import EvidenceLink
from evidence.reviews.decide import Decision, decide_all
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
PAGE = "/systems/shop/events/"
TODAY = "2026-11-23"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def link(house: House) -> EvidenceLink:
    """Submitted by alice and rejected by rita."""
    link = submitted(house)
    decide_all([Decision(link.uuid, accept=False, reason="Wrong month")], by=house.rita)
    return link


@pytest.fixture
def olivia(client: Client, house: House) -> Client:
    return sign_in_just_now(client, house.olivia)


def verbs(answer) -> list[str]:
    assert answer.status_code == 200, answer.content.decode()
    return [row.event.verb for row in answer.context["events"]]


def test_an_officer_narrows_the_log(olivia, link):
    everything = verbs(olivia.get(PAGE))
    assert everything[:2] == ["evidence.rejected", "evidence.submitted"]
    uuid = str(link.uuid)
    for chosen, left in (
        ({"verb": "evidence.rejected"}, ["evidence.rejected"]),
        ({"person": "rita"}, ["evidence.rejected"]),
        ({"about": uuid}, [v for v in everything if v.startswith("evidence.")]),
        ({"about": "patch"}, [v for v in everything if v.startswith("evidence.")]),
        ({"about": "no such thing"}, []),
        ({"first_day": TODAY, "last_day": TODAY}, everything),
        ({"last_day": "2026-11-22"}, []),
        ({"first_day": "2026-11-24"}, []),
    ):
        assert verbs(olivia.get(PAGE, chosen)) == left, chosen
    shown = olivia.get(PAGE).content.decode()
    assert "Wrong month" in shown and "Evidence rejected" in shown
    wrong = olivia.get(PAGE, {"first_day": "2026-13-01"})
    assert wrong.status_code == 422


def test_it_is_read_page_by_page_in_a_constant_number_of_statements(olivia, house):
    olivia.get(PAGE)  # notices of the day are gathered once
    with CaptureQueriesContext(connection) as few:
        assert verbs(olivia.get(PAGE))
    AuditEvent.objects.append_all(
        about(house.system, f"test.said-{number}", by=house.alice)
        for number in range(60)
    )
    with CaptureQueriesContext(connection) as many:
        first = olivia.get(PAGE)
    assert len(many) == len(few)
    assert len(verbs(first)) == 50
    older = olivia.get(PAGE, {"before": first.context["older_than"]})
    assert verbs(older)[:10] == [f"test.said-{number}" for number in range(9, -1, -1)]
    assert set(event_log.verbs_of(house.system)) >= {"test.said-0", "system.created"}


@pytest.mark.parametrize("name", ["alice", "rita", "ray", "audrey"])
def test_nobody_but_officers_reads_or_takes_it(client, house, name):
    sign_in_just_now(client, house.people[name])
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}csv/").status_code == 403
    assert not AuditEvent.objects.filter(verb="audit-log.exported").exists()


def rows_of(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body)))


def test_the_file_holds_what_matches_and_is_recorded(olivia, house, link, monkeypatch):
    """AU-01: in their order, up to the newest; the file is an event, not in itself."""
    monkeypatch.setattr(event_log, "PIECE", 2)
    rows = rows_of(olivia.post(f"{PAGE}csv/"))
    chain = AuditEvent.objects.filter(chain=str(house.system.uuid)).order_by("seq")
    exported = chain.last()
    assert exported.verb == "audit-log.exported"
    assert exported.actor == house.olivia
    assert [row["number"] for row in rows] == [
        str(number) for number in range(1, exported.seq)
    ]
    assert rows[-1]["hash"] == bytes(chain.get(seq=exported.seq - 1).hash).hex()
    some = rows_of(olivia.post(f"{PAGE}csv/", {"person": "Rita"}))
    assert [row["verb"] for row in some] == ["evidence.rejected"]
    assert '"person":"Rita"' in chain.last().body


def test_in_04_no_cell_of_the_file_is_a_formula(olivia, house):
    house.system.name = "=1+1"
    AuditEvent.objects.append(about(house.system, "test.said", by=house.alice))
    row = rows_of(olivia.post(f"{PAGE}csv/", {"verb": "test.said"}))[0]
    assert row["about"] == "'=1+1"


def test_az_12_the_file_asks_for_the_password_again(client, house):
    client.force_login(house.olivia)
    assert client.post(f"{PAGE}csv/").status_code in (302, 403)
    assert not AuditEvent.objects.filter(verb="audit-log.exported").exists()


def test_pages_of_objects_show_their_own_history(client, house, link):
    sign_in_just_now(client, house.alice)
    evidence = link.revision.evidence
    page = client.get(reverse("evidence:evidence", args=[evidence.uuid]))
    shown = page.content.decode()
    assert "Evidence submitted" in shown and "Evidence rejected" in shown
    other = submitted(house, "else", requirement=house.requirement("si-2"))
    page = client.get(reverse("evidence:evidence", args=[other.revision.evidence.uuid]))
    assert "Evidence rejected" not in page.content.decode()
