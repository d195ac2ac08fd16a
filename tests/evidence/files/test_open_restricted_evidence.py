"""Restricted evidence is opened by those it is for, at every door (AC-06)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import Evidence, EvidenceFile
from evidence.requests.answers import answer
from evidence.requests.requests import RequestDraft, request_evidence
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, submitted

pytestmark = pytest.mark.django_db
DOORS = ("evidence:preview", "evidence:download", "file-content")


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def restricted(house: House) -> EvidenceFile:
    """A file of alice's restricted evidence."""
    revision = submitted(house).revision
    Evidence.objects.filter(pk=revision.evidence_id).update(sensitivity="restricted")
    return revision.files.get()


def opened(client, file: EvidenceFile) -> set[int]:
    """The statuses that all doors to its bytes answer with."""
    answers = [client.get(reverse(door, args=[file.uuid])) for door in DOORS]
    statuses = {page.status_code for page in answers}
    for page in answers:
        if page.status_code == 403:
            assert "restricted" in page.content.decode()
        if page.streaming:
            page.close()
    return statuses


@pytest.mark.parametrize("name", ["alice", "rita", "olivia"])
def test_ac_06_its_team_reviewers_and_officers_open_it(
    client, house, restricted, name
) -> None:
    client.force_login(house.people[name])
    assert opened(client, restricted) == {200}


@pytest.mark.parametrize("name", ["ray", "audrey"])
def test_ac_06_readers_and_auditors_are_refused_with_a_sentence(
    client, house, restricted, name
) -> None:
    client.force_login(house.people[name])
    assert opened(client, restricted) == {403}
    own_events = AuditEvent.objects.filter(actor=house.people[name].pk)
    assert not own_events.filter(verb__startswith="evidence.").exists()


def test_what_is_not_restricted_is_read_as_before(client, house) -> None:
    client.force_login(house.audrey)
    assert opened(client, submitted(house).revision.files.get()) == {200}


@pytest.mark.parametrize(
    ("asked_by", "statuses"), [("audrey", {200}), ("olivia", {403})]
)
def test_ac_06_an_answer_to_the_audits_request_releases_it_to_that_audit(
    client, house, restricted, asked_by, statuses
) -> None:
    draft = RequestDraft(
        title="Patch reports",
        control_ids=["cm-8"],
        team=house.team,
        due_on=TODAY + dt.timedelta(days=10),
    )
    request = request_evidence(house.system, draft, by=house.people[asked_by])
    answer(request, [restricted.revision.evidence], by=house.alice)
    client.force_login(house.audrey)
    assert opened(client, restricted) == statuses
