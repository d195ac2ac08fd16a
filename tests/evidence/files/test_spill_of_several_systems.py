"""R32: spilled bytes that others rest on go once an officer of each system approves.

Whoever asked does not approve in the other system either, a list of events that was
read from the bytes is taken back with them, and no door brings or opens them again.
"""

from __future__ import annotations

import datetime as dt
import functools
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, Role, System, User
from evidence.files import spill_removal
from evidence.models import (
    Blob,
    EvidenceFile,
    EvidenceLink,
    Population,
    RequirementControl,
    SpillRemoval,
)
from evidence.storage import open_store
from evidence.storage.fsck import Kind, check_store
from evidence.storage.sweep import sweep_store
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import make_pdf, script
from tests.evidence.house import TODAY, House, file, give
from tests.evidence.per_event import bring, listed, made_per_event, said, url

pytestmark = pytest.mark.django_db
LIST = listed(10)
REASON = "A password stands in the third line"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.people["otto"] = houses.person("otto")
    give(built, "otto", Role.OFFICER)
    return built


@pytest.fixture
def ophelia(house) -> User:
    """Officer of the other system and of no more."""
    return houses.person("ophelia")


@pytest.fixture
def other(house, ophelia) -> System:
    """Another system, which has a secret name."""
    return factories.make_system(ophelia, slug="acquisition")


def brought(asked: RequirementControl, by: User, content: bytes = LIST) -> EvidenceLink:
    """The bytes as evidence of a system."""
    submission = Submission(
        title="Changes",
        performed_on=TODAY,
        period_start=TODAY.replace(day=1),
        period_end=TODAY,
        collected_on=TODAY,
    )
    upload = store("changes.csv", [content])
    return submit(submission, [upload], requirement=asked, by=by, today=TODAY)


def removed(house: House, link: EvidenceLink) -> SpillRemoval:
    """Asked for by olivia, approved by otto, the worker has looked."""
    spilled = link.revision.files.get()
    removal = spill_removal.request_removal(spilled, reason=REASON, by=house.olivia)
    spill_removal.decide_removal(removal, approve=True, by=house.otto)
    spill_removal.destroy(removal.pk)
    removal.refresh_from_db()
    return removal


def page(client: Client, removal: SpillRemoval) -> str:
    answer = client.get(reverse("evidence:removal", args=[removal.uuid]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def decide(client: Client, removal: SpillRemoval, decision: str = "approve") -> Any:
    url = reverse("evidence:removal_decide", args=[removal.uuid])
    return client.post(url, {"decision": decision})


def in_store(blob: Blob) -> bool:
    return open_store().has(blob.sha256)


def opened(client: Client, path: str) -> int:
    """The status of a download, which is read to its end."""
    answer = client.get(path)
    assert answer.getvalue()
    return int(answer.status_code)


@pytest.fixture
def both(house, other, ophelia) -> tuple[EvidenceLink, EvidenceLink]:
    """The same bytes in both systems."""
    theirs = other.requirements.first()
    return brought(house.requirement(), house.alice), brought(theirs, ophelia)


def test_another_systems_evidence_keeps_the_bytes_until_its_officer_approves(
    client, house, other, ophelia, both
):
    ours, theirs = both
    blob = Blob.objects.get()
    removal = removed(house, ours)
    assert in_store(blob)
    assert (removal.outcome, removal.destroyed_at) == (spill_removal.KEPT, None)
    client.force_login(house.otto)
    shown = page(client, removal)
    assert "Records outside this system rest on the same bytes" in shown
    assert "acquisition" not in shown.lower()

    follower = SpillRemoval.objects.get(system=other)
    client.force_login(ophelia)
    assert REASON in client.get("/work/").content.decode()
    shown = page(client, follower)
    assert REASON in shown
    for unnamed in ("Shop", "Olivia", "Otto", "shop"):
        assert unnamed not in shown
    assert decide(client, follower).status_code == 302
    theirs.refresh_from_db()
    assert theirs.state == "withdrawn"
    spill_removal.destroy(follower.pk)
    assert not in_store(blob)
    removal.refresh_from_db()
    assert removal.outcome == "The bytes were deleted from the store."
    assert removal.destroyed_at is not None
    assert AuditEvent.objects.filter(verb="removal.done").count() == 2


def test_refused_there_the_bytes_stay_and_nobody_asks_twice(
    client, house, other, ophelia, both
):
    ours, theirs = both
    removal = removed(house, ours)
    client.force_login(ophelia)
    decide(client, SpillRemoval.objects.get(system=other), "refuse")
    spill_removal.destroy(removal.pk)
    theirs.refresh_from_db()
    assert theirs.state == "submitted"
    assert in_store(Blob.objects.get())
    assert SpillRemoval.objects.filter(system=other).count() == 1


@pytest.mark.parametrize("door", ["page", "api", "record"])
def test_who_asked_here_does_not_approve_there(
    client, house, other, ophelia, both, door
):
    """R32: the same person through another role is the same person."""
    factories.give_role(house.olivia, other, Role.OFFICER)
    removed(house, both[0])
    follower = SpillRemoval.objects.for_listing().get(system=other)
    client.force_login(house.olivia)
    assert follower not in SpillRemoval.objects.to_decide(house.olivia)
    assert "Approve and destroy" not in page(client, follower)
    if door == "page":
        assert decide(client, follower).status_code == 403
    elif door == "api":
        answer = client.post(f"/api/v1/removals/{follower.uuid}/approve/")
        assert answer.status_code == 403
        assert "you asked for the removal of the same bytes" in answer.content.decode()
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            SpillRemoval.objects.filter(pk=follower.pk).update(decided_by=house.olivia)
    follower.refresh_from_db()
    assert follower.state == "requested"
    client.force_login(ophelia)
    assert decide(client, follower).status_code == 302


def test_the_api_names_nobody_of_the_other_system(client, house, other, ophelia, both):
    removed(house, both[0])
    client.force_login(ophelia)
    (row,) = client.get("/api/v1/removals/").json()["results"]
    assert row["system"] == "acquisition"
    assert row["requested_by"] is None
    assert row["file"] == str(both[1].revision.files.get().uuid)


def test_a_list_of_events_is_shown_and_taken_back(client, house):
    per_event = made_per_event(house)
    client.force_login(house.alice)
    population = bring(client, per_event, list=file("changes.csv", LIST))
    link = brought(house.requirement("si-2"), house.alice)
    spilled = link.revision.files.get()
    removal = spill_removal.request_removal(spilled, reason=REASON, by=house.olivia)
    client.force_login(house.otto)
    assert f"/populations/{population.uuid}/" in page(client, removal)
    decide(client, removal)
    spill_removal.destroy(removal.pk)
    assert not in_store(population.blob)
    assert Population.objects.with_state().get().state == "withdrawn"
    assert AuditEvent.objects.filter(verb="population.withdrawn").count() == 1


def test_a_list_of_another_system_keeps_them_too(client, house, other, ophelia):
    per_event = made_per_event(house)
    client.force_login(house.alice)
    population = bring(client, per_event, list=file("changes.csv", LIST))
    theirs = brought(other.requirements.first(), ophelia)
    orla = houses.person("orla")
    factories.give_role(orla, other, Role.OFFICER)
    spilled = theirs.revision.files.get()
    removal = spill_removal.request_removal(spilled, reason=REASON, by=ophelia)
    spill_removal.decide_removal(removal, approve=True, by=orla)
    spill_removal.destroy(removal.pk)
    assert in_store(population.blob)
    follower = SpillRemoval.objects.get(system=house.system)
    assert (follower.file, follower.population) == (None, population)
    client.force_login(house.otto)
    assert f"/populations/{population.uuid}/" in page(client, follower)
    assert "the list of events" in client.get("/work/").content.decode()
    assert client.get(f"/api/v1/removals/{follower.uuid}/").json()["file"] is None
    decide(client, follower)
    spill_removal.destroy(follower.pk)
    assert not in_store(population.blob)
    assert Population.objects.with_state().get().state == "withdrawn"


def test_kept_bytes_are_opened_by_nobody_here(client, house, both):
    """An officer neither, flagged or not, nor as another evidence of the system."""
    ours, theirs = both
    twin = brought(house.requirement("si-2"), house.alice)
    removed(house, ours)
    for link in (ours, twin):
        client.force_login(house.otto)
        uuid = link.revision.files.get().uuid
        answer = client.get(reverse("evidence:download", args=[uuid]))
        assert answer.status_code == 409
        assert client.get(f"/api/v1/files/{uuid}/content/").status_code == 409
    theirs_uuid = theirs.revision.files.get().uuid
    client.force_login(theirs.submitted_by)
    assert opened(client, reverse("evidence:download", args=[theirs_uuid])) == 200


@pytest.mark.parametrize("kept", [True, False])
def test_an_officer_opens_no_flagged_file_whose_removal_is_approved(
    client, house, other, ophelia, kept
):
    ours = _flagged(house.requirement(), house.alice)
    if kept:
        _flagged(other.requirements.first(), ophelia)
    flagged = ours.revision.files.get()
    assert flagged.flags
    client.force_login(house.otto)
    doors = (
        reverse("evidence:download", args=[flagged.uuid]),
        reverse("evidence:preview", args=[flagged.uuid]),
        f"/api/v1/files/{flagged.uuid}/content/",
    )
    assert opened(client, doors[0]) == 200
    removed(house, ours)
    assert in_store(flagged.blob) is kept
    for door in doors:
        answer = client.get(door)
        assert answer.status_code == 409, door
        assert "was removed as a spill" in answer.content.decode()


@functools.cache
def _flagged_pdf() -> bytes:
    """Made once: each time it is written it gets another id."""
    return make_pdf(script)


def _flagged(asked: RequirementControl, by: User) -> EvidenceLink:
    submission = Submission(
        title="Report",
        performed_on=TODAY,
        period_start=TODAY.replace(day=1),
        period_end=TODAY,
        collected_on=TODAY,
    )
    upload = store("report.pdf", [_flagged_pdf()])
    return submit(submission, [upload], requirement=asked, by=by, today=TODAY)


class TestTheyDoNotComeBack:
    """By no plan and no upload; what lies in the store again is seen and destroyed."""

    @pytest.fixture(params=["kept", "gone"])
    def blob(self, request, house, other, ophelia) -> Blob:
        link = brought(house.requirement(), house.alice)
        if request.param == "kept":
            brought(other.requirements.first(), ophelia)
        removed(house, link)
        return Blob.objects.get()

    def test_by_an_upload(self, house, blob):
        before = in_store(blob)
        with pytest.raises(Exception, match="may not be uploaded again"):
            brought(house.requirement("si-2"), house.alice)
        assert (
            EvidenceFile.objects.filter(revision__evidence__system=house.system).count()
            == 1
        )
        assert before is (blob.purged_at is None)

    def test_by_an_upload_plan(self, client, house, blob):
        before = in_store(blob)
        mapping = (
            "file,control,title,performed_on,period_start,period_end\n"
            f"changes.csv,si-2,Changes,{TODAY},{TODAY.replace(day=1)},{TODAY}\n"
        )
        client.force_login(house.alice)
        answer = client.post(
            "/api/v1/systems/shop/uploads/plan/",
            {
                "list": file("list.csv", mapping.encode()),
                "files": file("changes.csv", LIST),
            },
        )
        assert answer.status_code == 400, answer.content
        assert "may not be uploaded again" in answer.content.decode()
        assert in_store(blob) is before

    def test_by_a_preview_of_a_list(self, client, house, blob):
        before = in_store(blob)
        per_event = made_per_event(house)
        client.force_login(house.alice)
        answer = client.post(url(per_event), said(list=file("changes.csv", LIST)))
        assert answer.status_code == 422
        assert "may not be uploaded again" in answer.content.decode()
        assert in_store(blob) is before

    def test_what_lies_there_again_is_named_and_destroyed(self, house, blob):
        if blob.purged_at is None:
            assert check_store(instant=clock.now(), all_ages=True).findings == []
            assert sweep_store(instant=clock.now()).outcomes == {}
            assert in_store(blob)
            return
        open_store().put([LIST], limit=10_000)
        (finding,) = check_store(instant=clock.now(), all_ages=True).findings
        assert (finding.kind, finding.sha256) == (Kind.RETURNED, blob.sha256)
        later = clock.now() + dt.timedelta(hours=25)
        assert blob.sha256 in sweep_store(instant=later).outcomes
        assert not in_store(blob)
