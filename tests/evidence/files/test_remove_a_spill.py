"""Two officers destroy spilled bytes; digest, record and the decision stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.models import AuditEvent, Membership, Role
from evidence.files import spill_removal
from evidence.jobs.work import sweep
from evidence.models import EvidenceFile, EvidenceLink, SpillRemoval
from evidence.storage import open_store
from tests.evidence import house as houses
from tests.evidence.house import House, give, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    found = houses.build()
    found.people["otto"] = houses.person("otto")
    give(found, "otto", Role.OFFICER)
    return found


@pytest.fixture
def link(house) -> EvidenceLink:
    found = submitted(house, "password: hunter2")
    found.accept(by=house.rita)
    return found


@pytest.fixture
def removal(client, house, link) -> SpillRemoval:
    client.force_login(house.olivia)
    url = reverse("evidence:removal_new", args=[link.revision.files.get().uuid])
    assert client.get(url).status_code == 200
    client.post(url, {"reason": "A password"})
    return SpillRemoval.objects.get()


def decide(client, removal: SpillRemoval, decision: str = "approve"):
    url = reverse("evidence:removal_decide", args=[removal.uuid])
    return client.post(url, {"decision": decision})


def test_approved_the_bytes_are_gone_and_the_record_stays(client, house, link, removal):
    file = EvidenceFile.objects.get()
    client.force_login(house.otto)
    assert "asks to remove a spill" in client.get("/work/").content.decode()
    assert decide(client, removal).status_code == 302
    link.refresh_from_db()
    assert link.state == "withdrawn"
    assert spill_removal.destroy(removal.pk) == "The bytes were deleted from the store."
    with pytest.raises(FileNotFoundError):
        open_store().open(file.blob.sha256)
    answer = client.get(reverse("evidence:download", args=[file.uuid]))
    assert answer.status_code == 409
    assert "was removed as a spill" in answer.content.decode()
    page = client.get(reverse("evidence:removal", args=[removal.uuid]))
    assert file.blob.sha256 in page.content.decode()
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {
        "removal.requested",
        "removal.approved",
        "evidence.withdrawn",
        "removal.done",
    } <= verbs


def test_exports_list_it(client, house, link, removal, capsys):
    client.force_login(house.otto)
    decide(client, removal)
    call_command("control_status", "shop", "--format", "json")
    rows = {row["control_id"]: row for row in json.loads(capsys.readouterr().out)}
    (listed,) = rows["cm-8"]["evidence"]
    assert listed["state"] == "removed"
    assert listed["sha256"] == [link.revision.files.get().blob.sha256]


def test_until_somebody_decides_nothing_changes(client, house, link, removal):
    assert spill_removal.destroy(removal.pk) == ""
    link.refresh_from_db()
    assert link.state == "accepted"
    open_store().open(EvidenceFile.objects.get().blob.sha256).close()


def test_refused_it_may_be_asked_again(client, house, link, removal):
    client.force_login(house.otto)
    decide(client, removal, "refuse")
    assert spill_removal.destroy(removal.pk) == ""
    again = spill_removal.request_removal(removal.file, reason="Still", by=house.olivia)
    assert again.state == "requested"


def test_one_officer_alone_destroys_nothing(client, house, link, removal):
    client.force_login(house.olivia)
    assert decide(client, removal).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        SpillRemoval.objects.update(decided_by=house.olivia)


@pytest.mark.parametrize(
    ("name", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("bob", 403), ("mallory", 404)],
)
def test_others_decide_nothing(client, house, link, removal, name, status):
    client.force_login(house.people[name])
    assert decide(client, removal).status_code == status
    url = reverse("evidence:removal_new", args=[removal.file.uuid])
    hidden = 404 if name in {"bob", "mallory"} else 403
    assert client.post(url, {"reason": "x"}).status_code == hidden
    assert SpillRemoval.objects.count() == 1


def test_decided_twice_the_second_is_told_who_was_first(client, house, link, removal):
    client.force_login(house.otto)
    decide(client, removal)
    answer = decide(client, removal)
    assert answer.status_code == 409
    assert "Otto has already decided this." in answer.content.decode()


def test_the_same_bytes_do_not_come_back(client, house, link, removal):
    client.force_login(house.otto)
    decide(client, removal)
    spill_removal.destroy(removal.pk)
    with pytest.raises(ValidationError, match="may not be uploaded again"):
        submitted(house, "password: hunter2")
    assert EvidenceFile.objects.count() == 1


def test_other_evidence_of_the_system_on_the_same_bytes_turns_too(client, house, link):
    twin = submitted(house, "password: hunter2")
    file = link.revision.files.get()
    asked = spill_removal.request_removal(file, reason="A password", by=house.olivia)
    spill_removal.decide_removal(asked, approve=True, by=house.otto)
    twin.refresh_from_db()
    assert twin.state == "withdrawn"


def test_the_sweep_finishes_what_a_crash_left(house, link, removal):
    spill_removal.decide_removal(removal, approve=True, by=house.otto)
    assert sweep(spill_removal.REMOVALS) == 1
    spill_removal.destroy(removal.pk)
    assert sweep(spill_removal.REMOVALS) == 0
    assert Membership.objects.exists()
