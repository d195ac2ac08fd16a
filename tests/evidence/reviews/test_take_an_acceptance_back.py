"""R17: a reviewer withdraws an acceptance that was wrong, with a reason."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evidence.models import EvidenceLink
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.reviews.hands import accepted

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def browser_of(person: Any) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def state_of(link: EvidenceLink) -> str:
    return str(EvidenceLink.objects.get(pk=link.pk).state)


def test_a_reviewer_withdraws_what_is_accepted(house) -> None:
    """The page of the evidence leads there; who and why stand on it afterwards."""
    link = submitted(house)
    page = reverse("evidence:evidence", args=[link.revision.evidence.uuid])
    door = reverse("evidence:withdraw", args=[link.uuid])
    raul = browser_of(house.raul)
    assert door not in text_of(raul.get(page))  # it waits: who reviews rejects it
    assert raul.post(door, {"reason": "Of another account."}).status_code == 403

    accepted(link)
    assert door in text_of(raul.get(page))
    assert "What would turn" in text_of(raul.get(door))
    assert raul.post(door, {"reason": " "}).status_code == 400
    assert state_of(link) == "accepted"
    answer = raul.post(door, {"reason": "Of another account."}, follow=True)
    assert state_of(link) == "withdrawn"
    assert "Of another account." in text_of(answer)
    assert "Raul" in text_of(answer)


def test_and_nobody_else_who_only_reads_it(house) -> None:
    """The same over the API, where the answer says who may."""
    link = submitted(house)
    accepted(link)
    door = f"/api/v1/evidence/{link.uuid}/withdraw/"
    read = browser_of(house.ray).get(f"/api/v1/evidence/{link.uuid}/")

    def withdraw(person: Any) -> Any:
        return browser_of(person).post(
            door,
            json.dumps({"reason": "Of another account."}),
            content_type="application/json",
            headers={"if-match": read["ETag"]},
        )

    for person in (house.bob, house.audrey, house.ray):
        answer = withdraw(person)
        assert answer.status_code == 403, person
    assert "Only Platform, a reviewer or" in withdraw(house.bob).json()["detail"]
    assert (withdraw(house.raul).status_code, state_of(link)) == (200, "withdrawn")
