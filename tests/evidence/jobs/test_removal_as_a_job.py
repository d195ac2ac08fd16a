"""Spilled bytes are destroyed once, however often it takes; why not is on the page."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from controls.models import AuditEvent, Role
from evidence.files import spill_removal
from evidence.files.spill_removal import REMOVALS, destroy_spill
from evidence.jobs.work import sweep
from evidence.models import Blob, SpillRemoval
from evidence.storage import StoreUnreachable, open_store
from tests.evidence import house as houses
from tests.evidence.house import House, give, submitted
from tests.evidence.jobs.chores import in_another_connection

pytestmark = pytest.mark.django_db(transaction=True)
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
DELETED = "The bytes were deleted from the store."


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.people["otto"] = houses.person("otto")
    give(built, "otto", Role.OFFICER)
    return built


@pytest.fixture
def removal(client, house) -> SpillRemoval:
    """Asked for by olivia and approved by otto, on the pages; otto stays signed in."""
    file = submitted(house, "password: hunter2").revision.files.get()
    client.force_login(house.olivia)
    url = reverse("evidence:removal_new", args=[file.uuid])
    client.post(url, {"reason": "A password"})
    asked = SpillRemoval.objects.get()
    client.force_login(house.otto)
    url = reverse("evidence:removal_decide", args=[asked.uuid])
    client.post(url, {"decision": "approve"})
    return asked


class FaultyStore:
    """A store that raises, or does something, instead of deleting."""

    def __init__(self, act: Any) -> None:
        self.act = act

    def destroy(self, sha256: str) -> str:
        return self.act(sha256)


def use(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    monkeypatch.setattr(spill_removal, "open_store", lambda: FaultyStore(act))


def page(client, removal: SpillRemoval) -> str:
    url = reverse("evidence:removal", args=[removal.uuid])
    return " ".join(client.get(url).content.decode().split())


def stored() -> SpillRemoval:
    return SpillRemoval.objects.get()


def test_a_store_that_is_away_is_waited_for(client, removal, monkeypatch):
    def away(sha256: str) -> str:
        raise StoreUnreachable("The store does not answer.")

    use(monkeypatch, away)
    for _ in range(7):
        destroy_spill(removal.pk)
        SpillRemoval.objects.update(due_at=None)
    assert (stored().attempts, stored().waits) == (0, 7)
    text = "being destroyed. Last attempt: The store does not answer."
    assert text in page(client, removal)
    assert Blob.objects.get().purged_at is not None, "nobody may bring them again"
    monkeypatch.undo()
    assert sweep(REMOVALS) == 1
    destroy_spill(removal.pk)
    assert stored().outcome == DELETED
    assert DELETED in page(client, removal)


def test_given_up_the_page_says_that_the_bytes_are_there(client, removal, monkeypatch):
    def refuse(sha256: str) -> str:
        raise PermissionError(13, "Permission denied")

    use(monkeypatch, refuse)
    for _ in range(5):
        destroy_spill(removal.pk)
        SpillRemoval.objects.update(due_at=None)
    text = "are still in the store. Given up after 5 attempts. Permission denied."
    assert text in page(client, removal)
    assert sweep(REMOVALS) == 0
    event = AuditEvent.objects.get(verb="removal.given-up")
    assert "Permission denied." in event.body
    open_store().open(removal.file.blob.sha256).close()
    monkeypatch.undo()
    for _ in range(2):  # the second finds nothing to begin anew
        call_command("given_up_jobs", "--retry")
    again = AuditEvent.objects.get(verb="removal.begun-anew")
    assert (again.chain, again.actor) == (event.chain, None)
    assert "Permission denied." in again.body
    destroy_spill(removal.pk)
    assert stored().outcome == DELETED


def test_whose_lease_was_taken_records_no_second_outcome(removal, monkeypatch):
    def overtaken(sha256: str) -> str:
        assert not connection.in_atomic_block
        monkeypatch.undo()
        SpillRemoval.objects.update(leased_until=PAST)
        in_another_connection(lambda: destroy_spill(removal.pk) or True)
        return "The bytes were not in the store."

    use(monkeypatch, overtaken)
    destroy_spill(removal.pk)
    assert (stored().outcome, stored().attempts) == (DELETED, 2)
    assert AuditEvent.objects.filter(verb="removal.done").count() == 1
