"""R17: evidence attached at the moment of a correction is attached as corrected.

Whoever attaches waits for whoever corrects, and reads what counts only then.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse

from evidence.models import EvidenceLink
from evidence.submissions.revise import revise
from evidence.submissions.uploads import keep_all, store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, patch_report, submitted

pytestmark = pytest.mark.django_db(transaction=True)
WAITS_FOR_A_LOCK = "SELECT count(*) FROM pg_locks WHERE NOT granted"
PATIENCE = 30  # seconds until a thread that hangs fails the test


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.requirement("si-2")
    return built


def correct(house: House, link: EvidenceLink) -> None:
    """Alice brings another file, in whatever transaction is open."""
    uploads = [store("report.txt", [b"patched on all hosts"])]
    keep_all(uploads, house.team)
    revise(
        link.revision.evidence,
        patch_report(),
        uploads,
        kind="correction",
        reason="The first one named one host.",
        by=house.alice,
        today=TODAY,
    )


def attach(house: House, link: EvidenceLink, door: str, answers: list[Any]) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(house.alice)
    asked = house.requirement("si-2")
    try:
        if door == "page":
            address = reverse("evidence:attach", args=[link.revision.evidence.uuid])
            answers.append(client.post(address, {"requirement": asked.pk}))
        else:
            body = {"requirement": str(asked.uuid)}
            address = f"/api/v1/evidence/{link.uuid}/"
            headers = {}
            if door == "as seen":
                headers["If-Match"] = client.get(address)["ETag"]
            answers.append(
                client.post(
                    f"{address}attach/", body, "application/json", headers=headers
                )
            )
    finally:
        connections.close_all()


def attached_meanwhile(house: House, link: EvidenceLink, door: str) -> Any:
    """The answer to what was sent while a correction was being written."""
    answers: list[Any] = []
    thread = threading.Thread(target=attach, args=(house, link, door, answers))
    with transaction.atomic():
        correct(house, link)
        thread.start()
        until = time.monotonic() + PATIENCE
        waiting = 0
        while not waiting and not answers and time.monotonic() < until:
            with connection.cursor() as cursor:
                cursor.execute(WAITS_FOR_A_LOCK)
                waiting = cursor.fetchone()[0]
            time.sleep(0.02)
        assert waiting
    thread.join(PATIENCE)
    return answers[0]


@pytest.mark.parametrize("door", ["page", "api"])
def test_what_is_attached_is_the_corrected_one(house: House, door: str) -> None:
    """R17: never a revision that a correction has just replaced."""
    link = submitted(house)
    answer = attached_meanwhile(house, link, door)
    assert answer.status_code in {201, 302}, answer.content
    made = EvidenceLink.objects.get(requirement=house.requirement("si-2"))
    assert made.revision.number == 2
    assert made.state == "submitted"


def test_who_names_what_was_seen_is_told_of_the_correction(house: House) -> None:
    """RE-09: `If-Match` holds for what is attached, not for what was there before."""
    link = submitted(house)
    answer = attached_meanwhile(house, link, "as seen")
    assert answer.status_code == 412, answer.content
    assert not EvidenceLink.objects.filter(requirement=house.requirement("si-2"))
