"""One evidence for many controls: at upload, attached later, or without being asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import Evidence, EvidenceLink
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.submissions.test_upload_evidence import said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


def upload_url(house: House, ref_id: str = "cm-8") -> str:
    return reverse("evidence:upload", args=["shop", house.requirement(ref_id).uuid])


def test_each_requirement_chosen_gets_an_unreviewed_link(client, house):
    client.force_login(house.alice)
    other = house.requirement("si-2")
    found = client.get(upload_url(house), {"q": "si-2"}).content.decode()
    assert f'value="{other.pk}"' in found
    client.post(upload_url(house), said(also=[other.pk]))
    assert Evidence.objects.count() == 1
    links = EvidenceLink.objects.order_by("pk")
    assert [link.implementation.control.ref_id for link in links] == ["cm-8", "si-2"]
    assert {link.state for link in links} == {"submitted"}
    assert AuditEvent.objects.filter(verb="evidence.submitted").count() == 2


def test_a_requirement_of_another_team_is_no_choice(client, house):
    other = house.requirement("si-2")
    other.owner_team = house.other_team
    other.save(update_fields=["owner_team"])
    client.force_login(house.alice)
    found = client.get(upload_url(house), {"q": "si-2"}).content.decode()
    assert f'value="{other.pk}"' not in found
    answer = client.post(upload_url(house), said(also=[other.pk]))
    assert answer.status_code == 400
    assert not Evidence.objects.exists()


def test_supplementary_evidence_is_kept_and_proves_nothing(client, house):
    client.force_login(house.alice)
    url = reverse("evidence:upload_supplementary", args=["shop", "cm-8"])
    assert "proves nothing by itself" in client.get(url).content.decode()
    assert client.post(url, said()).status_code == 302
    link = EvidenceLink.objects.get()
    assert link.requirement is None
    link.accept(by=house.rita)
    page = client.get(reverse("evidence:control", args=["shop", "cm-8"]))
    assert "missing" in page.content.decode()


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 403), ("rita", 403), ("audrey", 403), ("mallory", 404)]
)
def test_others_add_nothing(client, house, name, status):
    client.force_login(house.people[name])
    url = reverse("evidence:upload_supplementary", args=["shop", "cm-8"])
    assert client.get(url).status_code == status
    assert client.post(url, said()).status_code == status
    assert not Evidence.objects.exists()


def test_evidence_is_attached_later_with_a_review_of_its_own(client, house):
    link = submitted(house)
    link.accept(by=house.rita)
    other = house.requirement("si-2")
    client.force_login(house.alice)
    url = reverse("evidence:attach", args=[link.revision.evidence.uuid])
    found = client.get(url, {"q": "SI-2"}).content.decode()
    assert f'value="{other.pk}"' in found
    assert client.post(url, {"find": "1", "q": "SI-2"}).status_code == 200
    assert EvidenceLink.objects.count() == 1
    assert client.post(url, {"requirement": other.pk}).status_code == 302
    new = EvidenceLink.objects.get(requirement=other)
    assert (new.state, new.reviews.count()) == ("submitted", 0)
    link.refresh_from_db()
    assert link.state == "accepted"
    twice = client.post(url, {"requirement": other.pk})
    assert twice.status_code == 400
    assert "already attached" in twice.content.decode()


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 404), ("rita", 403), ("audrey", 403), ("mallory", 404)]
)
def test_others_attach_nothing(client, house, name, status):
    link, other = submitted(house), house.requirement("si-2")
    client.force_login(house.people[name])
    url = reverse("evidence:attach", args=[link.revision.evidence.uuid])
    assert client.post(url, {"requirement": other.pk}).status_code == status
    assert EvidenceLink.objects.count() == 1


def test_several_are_attached_together_or_none(client, house):
    link = submitted(house)
    asks = [house.requirement(ref_id) for ref_id in ("si-2", "ac-1")]
    client.force_login(house.alice)
    url = reverse("evidence:attach", args=[link.revision.evidence.uuid])
    there = [asks[0].pk, link.requirement.pk]
    assert client.post(url, {"requirement": there}).status_code == 400
    assert EvidenceLink.objects.count() == 1
    nothing = client.post(url, {})
    assert "Choose at least one ask" in nothing.content.decode()
    assert client.post(url, {"requirement": [a.pk for a in asks]}).status_code == 302
    assert EvidenceLink.objects.count() == 3
