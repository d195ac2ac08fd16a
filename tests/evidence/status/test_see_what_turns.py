"""Before proof is taken back, and before it lapses, people see what turns."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import EvidenceLink, Proof
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


@pytest.fixture
def link(house) -> EvidenceLink:
    found = submitted(house)
    found.accept(by=house.rita)
    return found


def url(link: EvidenceLink) -> str:
    return reverse("evidence:withdraw", args=[link.uuid])


def test_looking_shows_the_turn_and_changes_nothing(client, house, link):
    client.force_login(house.alice)
    before = AuditEvent.objects.count(), Proof.objects.count()
    answer = client.get(url(link))
    (turn,) = answer.context["turns"]
    assert turn.before.status.customer_half == "proven"
    assert turn.after.status.customer_half in {"missing", "lapsed"}
    assert "CM-8" in answer.content.decode()
    link.refresh_from_db()
    assert link.state == "accepted"
    assert (AuditEvent.objects.count(), Proof.objects.count()) == before


def test_with_other_proof_nothing_turns(client, house, link):
    submitted(house, "second").accept(by=house.rita)
    client.force_login(house.olivia)
    answer = client.get(url(link))
    assert answer.context["turns"] == []
    assert "Nothing turns" in answer.content.decode()


def test_confirmed_it_is_withdrawn(client, house, link):
    client.force_login(house.alice)
    assert client.post(url(link), {"reason": ""}).status_code == 400
    assert client.post(url(link), {"reason": "Wrong month"}).status_code == 302
    link.refresh_from_db()
    assert link.state == "withdrawn"
    assert client.get(url(link)).status_code == 409


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 403), ("audrey", 403), ("mallory", 404)]
)
def test_others_see_and_withdraw_nothing(client, house, link, name, status):
    client.force_login(house.people[name])
    assert client.get(url(link)).status_code == status
    assert client.post(url(link), {"reason": "x"}).status_code == status
    link.refresh_from_db()
    assert link.state == "accepted"


def test_the_evidence_page_says_what_turns_when_it_lapses(client, house, link):
    client.force_login(house.alice)
    page = client.get(reverse("evidence:evidence", args=[link.revision.evidence.uuid]))
    ((day, turns),) = page.context["turning"]
    assert day == link.proves_to
    assert [turn.after.status.customer_half for turn in turns] == ["lapsed"]
    assert day > TODAY
