"""People are told once what waits for them, and nothing that does not concern them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls import clock
from controls.models import Role
from controls.responsibility.overrides import request_override
from evidence.models import (
    Blob,
    EvidenceRequest,
    Notice,
    RequirementControl,
)
from evidence.models.notices import SENTENCES, NoticeKind
from evidence.notices.gathering import BATCH, gather_notices
from evidence.requests.answers import answer, decide_answer
from evidence.requests.requests import RequestDraft, request_evidence
from tests import factories
from tests.evidence.house import TODAY, House, give, person, submitted
from tests.evidence.notices import telling
from tests.evidence.notices.telling import DAY, asked_since, told
from tests.factories import set_terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return telling.build(settings, tmp_path)


def test_the_team_is_told_once_that_proof_is_overdue(house):
    asked_since(house, 0)
    assert any(
        " was due on " in each for each in told(house, "alice", "overdue", days=60)
    )
    before = Notice.objects.count()
    told(house, "alice", days=60)
    assert Notice.objects.count() == before
    assert told(house, "bob", "overdue", days=60) == []


def test_what_is_overdue_for_long_reaches_the_officers_once(house, settings):
    asked_since(house, 0)
    assert len(told(house, "olivia", "escalated", days=90)) == 1
    assert len(told(house, "olivia", "escalated", days=90)) == 1
    settings.ESCALATE_AFTER_DAYS = 400
    assert told(house, "olivia", "escalated", days=90) == []


def test_proof_that_runs_out_soon_is_told_by_its_lead_days(house):
    requirement = asked_since(house, 20)
    link = submitted(house, requirement=requirement)
    link.accept(by=house.rita)
    set_terms(RequirementControl.objects.all(), lead_days=0)
    assert told(house, "alice", "due-soon") == []
    set_terms(RequirementControl.objects.all(), lead_days=90)
    (said,) = told(house, "alice", "due-soon")
    assert "is due on" in said


def test_reviewers_are_told_what_waits_and_it_ends_when_decided(house):
    link = submitted(house)
    assert len(told(house, "rita", "to-review")) == 1
    assert told(house, "alice", "to-review") == []
    link.accept(by=house.rita)
    assert told(house, "raul", "to-review") == []
    over = Notice.objects.get(user=house.raul, kind="to-review")
    assert over.ended_at is not None


def test_the_submitter_learns_the_decision_with_its_reason(house):
    submitted(house, "one").accept(by=house.rita)
    submitted(house, "two").reject(by=house.rita, reason="No date on it")
    sentences = told(house, "alice")
    assert "“Patch report” was accepted by Rita." in sentences
    assert "“Patch report” was rejected by Rita: No date on it" in sentences


def test_other_officers_are_told_what_to_approve(house):
    house.people["otto"] = person("otto")
    give(house, "otto", Role.OFFICER)
    request_override(
        factories.implementation(house.system, "cm-8"),
        responsibility="customer",
        reason="Ours",
        citation="Letter",
        starts_on=TODAY,
        ends_on=TODAY + DAY,
        by=house.olivia,
    )
    assert len(told(house, "otto", "to-approve")) == 1
    assert told(house, "olivia", "to-approve") == []


def test_a_virus_is_told_to_its_uploader_and_the_officers(house):
    submitted(house)
    Blob.objects.update(scan_state="infected", scanned_at=clock.now())
    said = "A virus was found in “report.txt”."
    assert said in told(house, "alice")
    assert said in told(house, "olivia")
    assert said not in told(house, "bob")


def test_unread_reports_are_told_to_those_who_may_read_them(house):
    report = factories.make_report(
        factories.make_artifact(house.olivia, ["pe-3"]), TODAY - DAY * 99, TODAY
    )
    assert len(told(house, "rita", "to-read")) == 1
    assert told(house, "olivia", "to-read") == []
    factories.rely_on(report, house.system, by=house.rita)
    assert told(house, "raul", "to-read") == []


def test_requests_are_told_to_the_team_and_answers_to_the_asker(house):
    wish = RequestDraft("Tickets", ["cm-8"], house.team, TODAY + DAY)
    asked = request_evidence(house.system, wish, by=house.audrey)
    assert told(house, "alice", "asked") == [
        f"Audrey asks to see “Tickets” by {TODAY + DAY}."
    ]
    assert told(house, "bob", "asked") == []
    answer(asked, [submitted(house).revision.evidence], by=house.alice)
    assert told(house, "alice", "asked") == []
    assert told(house, "audrey", "answered") == ["“Tickets” was answered by Alice."]
    decide_answer(asked, accept=False, reason="No dates", by=house.audrey)
    assert "No dates" in told(house, "alice", "returned")[0]
    EvidenceRequest.objects.update(due_on=TODAY - DAY)
    for name in ("alice", "audrey", "olivia"):
        assert len(told(house, name, "asked-overdue")) == 1


def test_ac_03_whose_role_ended_is_told_nothing(house):
    submitted(house)
    house.rita.memberships.update(ends_at=clock.now())
    house.raul.is_active = False
    house.raul.save()
    assert told(house, "rita") == []
    assert told(house, "raul") == []
    assert told(house, "mallory") == []


def test_every_kind_has_its_sentence():
    said = dict.fromkeys(["what", "who", "day", "reason", "team"], "x")
    assert set(NoticeKind) == set(SENTENCES)
    assert all(text.format(**said) for text in SENTENCES.values())


def test_the_database_is_asked_as_often_for_many(house):
    submitted(house, "0")
    gather_notices(clock.now())
    reads = []
    for more in (0, 50):
        for number in range(more):
            name = f"reviewer{number}"
            house.people[name] = person(name)
            give(house, name, Role.REVIEWER)
            submitted(house, f"more {number}")
        with CaptureQueriesContext(connection) as run:
            new = gather_notices(clock.now()).new
        said = [each["sql"].partition(" ")[0] for each in run]
        reads.append(said.count("SELECT"))
        assert said.count("INSERT") == -(-new // BATCH)
    assert new > BATCH
    assert reads[0] == reads[1]
