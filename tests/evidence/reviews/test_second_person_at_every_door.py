"""R17, R32: the second person is another one at every door, the database's included.

Pages and API of reviews and samples have stories of their own; here whoever writes
rows past them is refused as well, and clearing a file is tried cell by cell.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import Role, User
from evidence.files.clearance import clear
from evidence.files.to_clear import files_to_clear
from evidence.files.who_may import may_clear
from evidence.models import (
    EvidenceFile,
    EvidenceLink,
    EvidenceRequest,
    FileClearance,
    PopulationReview,
    RequestAnswer,
    Review,
    Sample,
)
from evidence.models.requests import RequestJudgement
from evidence.submissions.revise import revise
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import make_pdf, script
from tests.evidence.house import TODAY, House, file, give
from tests.evidence.per_event import bring, listed, made_per_event

pytestmark = pytest.mark.django_db
# What each officer had to do with the evidence; `otto` had nothing to do with it.
HANDS = {
    "erin": "submitted the earlier revision",
    "colin": "collected the earlier revision",
    "olivia": "brought the correction",
    "otto": "",
}


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    for name in ("erin", "colin", "otto"):
        built.people[name] = houses.person(name)
        give(built, name, Role.OFFICER)
    return built


def report(**people: Any) -> Submission:
    return Submission(
        title="Report",
        performed_on=TODAY,
        period_start=TODAY.replace(day=1),
        period_end=TODAY,
        collected_on=TODAY,
        **people,
    )


@pytest.fixture
def corrected(house) -> EvidenceLink:
    """Brought by erin, collected by colin; a flagged file of olivia corrects it."""
    link = submit(
        report(collected_by=house.colin),
        [store("report.txt", [b"patched" * 20])],
        requirement=house.requirement(),
        by=house.erin,
        today=TODAY,
    )
    revision = revise(
        link.revision.evidence,
        report(),
        [store("report.pdf", [make_pdf(script)])],
        kind="correction",
        reason="The signed one.",
        by=house.olivia,
        today=TODAY,
    )
    return revision.links.get()


def test_my_work_lists_a_flagged_file_for_who_may_clear_it(client, house, corrected):
    """UP-04, R32: the same people as at the door; no more once it is cleared."""
    flagged = EvidenceFile.objects.get(revision=corrected.revision)
    other = report_of_same_bytes(house)
    for who in (*HANDS, "alice", "rita"):
        person = house.people.get(who) or User.objects.get(username=who)
        listed_files = set(files_to_clear(person))
        assert listed_files == {
            file for file in (flagged, other) if may_clear(file, person)
        }, who
        client.force_login(person)
        work = client.get(reverse("evidence:work")).content.decode()
        for file_listed in (flagged, other):
            assert (f"{file_listed} of Report" in work) is (file_listed in listed_files)
        assert ("2 requests to approve" in work) is (len(listed_files) == 2)
    otto = house.people["otto"]
    with CaptureQueriesContext(connection) as two:
        assert len(files_to_clear(otto)) == 2
    clear(other, by=otto, reason="Only a date check.")
    with CaptureQueriesContext(connection) as one:
        assert files_to_clear(otto) == [flagged]
    assert len(one) == len(two)
    clear(flagged, by=otto, reason="Only a date check.")
    assert files_to_clear(otto) == []


def report_of_same_bytes(house: House) -> EvidenceFile:
    """A flagged file of another piece of evidence, of Alice's alone."""
    link = submit(
        report(),
        [store("other.pdf", [make_pdf(script) + b" " * 80])],
        requirement=house.requirement("si-2"),
        by=house.alice,
        today=TODAY,
    )
    return link.revision.files.get()


@pytest.mark.parametrize("door", ["page", "api", "record"])
@pytest.mark.parametrize("who", HANDS)
def test_who_clears_a_flagged_file(client, house, corrected, who, door):
    """UP-04, R32: no hand in any revision, whatever role the person has."""
    flagged = EvidenceFile.objects.get(revision=corrected.revision)
    assert flagged.flags
    officer = house.people[who]
    client.force_login(officer)
    said = {"reason": "Only a date check."}
    if door == "page":
        url = reverse("evidence:file_clear", args=[flagged.uuid])
        done = client.post(url, said).status_code == 302
    elif door == "api":
        answer = client.post(
            f"/api/v1/files/{flagged.uuid}/clear/", said, "application/json"
        )
        assert answer.status_code in {200, 403}
        done = answer.status_code == 200
    else:
        done = written(
            FileClearance(
                file=flagged,
                officer=officer,
                uploader=flagged.revision.uploaded_by,
                reason="Because.",
            )
        )
    assert done is (who == "otto")
    assert FileClearance.objects.filter(officer=officer).exists() is done


@pytest.mark.parametrize("who", HANDS)
def test_who_writes_a_review(house, corrected, who):
    """R17: nobody who brought, collected or submitted any revision of it."""
    review = Review.of(
        corrected, decision="reject", by=house.people[who], reason="No date."
    )
    assert written(review) is (who == "otto")


@pytest.mark.parametrize("became", ["accepted", "returned", "cancelled"])
@pytest.mark.parametrize("who", ["alice", "erin", "otto"])
def test_who_writes_that_a_request_is_answered(house, corrected, who, became):
    """R32: none of those who answered it; taking it back is not judging."""
    asked = EvidenceRequest.objects.create(
        system=house.system,
        asked_by=house.olivia,
        team=house.team,
        title="The report",
        due_on=TODAY,
        state="answered",
    )
    for number, name in enumerate(("alice", "erin")):
        revisions = corrected.revision.evidence.revisions.order_by("number")
        RequestAnswer.objects.create(
            request=asked,
            revision=revisions[number],
            answered_by=house.people[name],
        )
    judgement = RequestJudgement(
        request=asked, judged_by=house.people[who], became=became, reason="Because."
    )
    assert written(judgement) is (who == "otto" or became == "cancelled")


@pytest.mark.parametrize("who", ["alice", "erin", "otto"])
def test_who_writes_a_sample_or_judges_a_population(client, house, who):
    """R16, R32: alice brought the list, erin another one of the same days."""
    asked = made_per_event(house)
    client.force_login(house.alice)
    population = bring(client, asked, list=file("changes.csv", listed()))
    client.force_login(house.erin)
    bring(client, asked, list=file("again.csv", listed(9)))
    person = house.people[who]
    sample = Sample(
        system=house.system,
        population=population,
        drawn_by=person,
        method="all",
        size=10,
        reason="All of them.",
    )
    assert written(sample) is (who == "otto")
    review = PopulationReview(
        population=population,
        reviewer=person,
        drawer=population.drawn_by,
        reviewer_name=str(person),
        decision="rejected",
        reason="Too short.",
    )
    assert written(review) is (who == "otto")


def written(row: Any) -> bool:
    """Whether the database takes the row."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as refusal:
        assert "another" in str(refusal) or "is_not" in str(refusal), refusal
        return False
    return True
