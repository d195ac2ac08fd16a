"""AU-07: evidence is kept for the years of its system, and longer under a legal hold.

Officers choose the years and place holds, a second one approves or lifts; a purge takes
the bytes of what has ended and nothing else; the database refuses the rest to the role
that serves.
"""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from controls.history.chain import verify_all
from controls.history.clock import clock_at
from controls.models import AuditEvent, Engagement, RetrospectiveChange, Role
from evidence.files import purge as purging
from evidence.files import spill_removal
from evidence.files.legal_holds import lift_hold, place_hold
from evidence.files.retention import retention_years
from evidence.models import (
    Blob,
    Evidence,
    EvidenceLink,
    LegalHold,
    RetentionClass,
    SpillRemoval,
)
from evidence.storage import open_store
from tests.evidence import house as houses
from tests.evidence import per_event
from tests.evidence.house import House, give
from tests.evidence.reviews.hands import accepted
from tests.factories import make_engagement
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = dt.date(2018, 3, 1)


@pytest.fixture
def house(as_owner, monkeypatch, settings, tmp_path: Path) -> House:
    """As it was in March 2018: one report was accepted, its audit has ended since."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    monkeypatch.setattr(houses, "TODAY", LONG_AGO)
    then = dt.datetime(2018, 3, 1, 9, tzinfo=dt.UTC)
    with as_owner(), clock_at(then):
        built = houses.build()
        accepted(houses.submitted(built))
        Engagement.objects.update(ended_at=then)
    built.people["oscar"] = houses.person("oscar")
    give(built, "oscar", Role.OFFICER)
    return built


@pytest.fixture
def evidence(house: House) -> Evidence:
    return Evidence.objects.get()


def signed_in(client: Client, house: House, name: str) -> Client:
    return sign_in_just_now(client, house.people[name])


def purge(*arguments: str) -> str:
    printed = io.StringIO()
    call_command("purge_evidence", *arguments, stdout=printed)
    return printed.getvalue()


def kept(client: Client, evidence: Evidence) -> str:
    """What its page says of how long it is kept."""
    page = client.get(reverse("evidence:evidence", args=[evidence.uuid]))
    return " ".join(page.content.decode().split())


def in_store() -> list[bool]:
    return [open_store().has(blob.sha256) for blob in Blob.objects.order_by("pk")]


def choose(client: Client, house: House, years: int) -> RetrospectiveChange:
    """Asked by olivia, approved by oscar, on their pages."""
    page = reverse("evidence:retention", args=[house.system.slug])
    signed_in(client, house, "olivia")
    asked = client.post(page, {"years": years, "reason": "The contract says so."})
    assert asked.status_code == 302, asked.content.decode()
    change = RetrospectiveChange.objects.latest("pk")
    before = retention_years(house.system)
    signed_in(client, house, "oscar")
    shown = client.get(reverse("evidence:retrospective", args=[change.uuid]))
    assert "Evidence is kept for" in shown.content.decode()
    assert retention_years(house.system) == before, "one officer changes nothing"
    client.post(
        reverse("evidence:retrospective_decide", args=[change.uuid]),
        {"decision": "approve", "version": change.version},
    )
    return change


def test_two_officers_choose_the_years_with_a_reason(client, house):
    """Seven years until somebody chose; who chose what stays, newest first."""
    page = reverse("evidence:retention", args=[house.system.slug])
    signed_in(client, house, "ray")
    shown = client.get(page).content.decode()
    assert "7 years" in shown and "Ask another officer" not in shown
    asked = {"years": 3, "reason": "r"}
    assert client.post(page, asked).status_code == 403
    choose(client, house, 10)
    choose(client, house, 3)
    assert list(RetentionClass.objects.values_list("years", flat=True)) == [10, 3]
    shown = client.get(page).content.decode()
    assert shown.index("3 years") < shown.index("10 years")
    assert "The contract says so." in shown
    event = AuditEvent.objects.filter(verb="retention.changed").latest("pk")
    assert '"before":{"years":10}' in event.body
    assert event.actor == house.oscar
    signed_in(client, house, "ray")
    answer = client.get(reverse("api_retention", args=[house.system.slug])).json()
    assert answer["years"] == 3
    assert [row["years"] for row in answer["classes"]] == [3, 10]
    assert answer["classes"][0]["approved_by"] == house.oscar.email


@pytest.mark.parametrize("years", ["0", "101", "x", ""])
def test_only_a_number_of_years_is_a_class(client, house, years):
    page = reverse("evidence:retention", args=[house.system.slug])
    signed_in(client, house, "olivia")
    answer = client.post(page, {"years": years, "reason": "r"})
    assert answer.status_code == 422
    assert not RetrospectiveChange.objects.exists()


def test_a_change_of_retention_asks_for_the_password_again(client, house):
    """AZ-12: the one change that lets proof be destroyed earlier."""
    client.force_login(house.olivia)
    page = reverse("evidence:retention", args=[house.system.slug])
    answer = client.post(page, {"years": 1, "reason": "r"})
    assert answer.status_code in (302, 403)
    assert not RetrospectiveChange.objects.exists()


def test_the_page_says_until_when_evidence_is_kept(client, house, evidence):
    """The last of: upload, its days, review, proof, the audit window that holds it."""
    signed_in(client, house, "ray")
    last = house.system.window_end
    assert f">{last.replace(year=last.year + 7)}</time>" in kept(client, evidence)
    audit = make_engagement(house.system)
    assert "an audit of its days runs" in kept(client, evidence)
    # an audit of its days that has ended keeps it for its years, whatever the system's
    # own window is by now
    later = last + dt.timedelta(days=90)
    ended = {"ended_at": dt.datetime(2019, 1, 1, tzinfo=dt.UTC)}
    Engagement.objects.filter(pk=audit.pk).update(window_end=later)
    Engagement.objects.filter(ended_at=None).update(**ended)
    assert f">{later.replace(year=later.year + 7)}</time>" in kept(client, evidence)


def test_a_purge_is_dry_until_it_is_told_to_remove(house, evidence):
    said = purge()
    digest = Blob.objects.get().sha256
    assert f"{house.system.slug} {evidence.uuid} {evidence.title}: kept until" in said
    assert f"{digest} 5 bytes report.txt" in said
    assert "1 piece of evidence, 1 file, 5 bytes would go. Nothing was changed." in said
    assert in_store() == [True]
    assert not AuditEvent.objects.filter(verb="evidence.purged").exists()


def test_a_purge_takes_the_bytes_and_keeps_the_record(client, house, evidence):
    before = EvidenceLink.objects.values().get()
    said = purge(house.system.slug, "--remove")
    blob = Blob.objects.get()
    assert "1 piece of evidence, 1 file, 5 bytes purged" in said
    assert in_store() == [False]
    assert (blob.purged_for, blob.size_bytes) == ("retention", 5)
    assert EvidenceLink.objects.values().get() == before, "verdicts stay"
    event = AuditEvent.objects.get(verb="evidence.purged")
    assert (event.subject_uuid, event.actor) == (evidence.uuid, None)
    assert blob.sha256 in event.body and "report.txt" in event.body
    assert list(verify_all()) == []

    signed_in(client, house, "olivia")
    file = evidence.revisions.get().files.get()
    assert "was purged on 2026-11-23, after the end of its retention" in file.obstacle()
    shown = kept(client, evidence)
    assert "report.txt" in shown and blob.sha256 in shown
    opened = client.get(reverse("evidence:download", args=[file.uuid]))
    assert opened.status_code in (404, 409, 410)
    assert "0 pieces of evidence" in purge("--remove")
    assert AuditEvent.objects.filter(verb="evidence.purged").count() == 1


def test_purged_bytes_do_not_come_back(house, evidence):
    purge("--remove")
    with pytest.raises(Exception, match="purged: they do not come back"):
        houses.submitted(house)


def test_nothing_goes_before_its_end(client, house, evidence):
    choose(client, house, 50)
    assert "0 pieces of evidence" in purge("--remove")
    assert in_store() == [True]


def test_bytes_stay_while_younger_evidence_rests_on_them(house, evidence, monkeypatch):
    monkeypatch.setattr(houses, "TODAY", dt.date(2026, 11, 23))
    other = house.requirement("si-2")
    houses.submitted(house, requirement=other)
    assert Blob.objects.count() == 1
    assert "0 pieces of evidence" in purge("--remove")
    assert in_store() == [True]


def test_evidence_that_shares_bytes_goes_together(house, as_owner):
    """One event each, although one of them alone destroyed the bytes."""
    then = dt.datetime(2018, 3, 1, 10, tzinfo=dt.UTC)
    with as_owner(), clock_at(then):
        houses.submitted(house, requirement=house.requirement("si-2"))
        houses.submitted(house, "other", requirement=house.requirement("ac-1"))
    groups = purging.sharing_bytes(purging.ended_records())
    assert sorted(len(group) for group in groups) == [1, 2]
    assert "3 pieces of evidence, 2 files, 10 bytes purged" in purge("--remove")
    assert AuditEvent.objects.filter(verb="evidence.purged").count() == 3


@pytest.mark.parametrize("whole", [False, True], ids=["one piece", "the system"])
def test_a_hold_keeps_it_until_another_officer_lifts_it(client, house, evidence, whole):
    """Placed and lifted on pages; who placed it does not lift it (R32)."""
    page = reverse("evidence:hold_new", args=[house.system.slug])
    if not whole:
        page += f"?evidence={evidence.uuid}"
    signed_in(client, house, "ray")
    assert client.post(page, {"reason": "A suit"}).status_code == 403
    signed_in(client, house, "olivia")
    assert client.post(page, {"reason": " "}).status_code == 422
    client.post(page, {"reason": "Shop v. Mallory"})
    hold = LegalHold.objects.get()
    assert (hold.evidence is None) == whole
    assert "Under a legal hold" in kept(client, evidence)
    assert "0 pieces of evidence" in purge("--remove")

    lift = reverse("evidence:hold_lift", args=[hold.uuid])
    assert client.post(lift, {"reason": "Over"}).status_code in (302, 403)
    hold.refresh_from_db()
    assert hold.lifted_by is None, "not by who placed it"
    listed = client.get(reverse("evidence:retention", args=[house.system.slug]))
    assert "Another officer lifts it" in listed.content.decode()
    signed_in(client, house, "ray")
    assert client.get(lift).status_code == 404
    assert "Shop v. Mallory" not in kept(client, evidence)
    answer = client.get(reverse("api_retention", args=[house.system.slug])).json()
    assert answer["legal_holds"] == []
    signed_in(client, house, "oscar")
    assert client.post(lift, {"reason": "Settled"}).status_code == 302
    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lift_reason) == (house.oscar, "Settled")
    answer = client.get(reverse("api_retention", args=[house.system.slug])).json()
    assert answer["legal_holds"][0]["reason"] == "Shop v. Mallory"
    verbs = AuditEvent.objects.filter(verb__startswith="legal-hold.")
    assert list(verbs.order_by("pk").values_list("verb", flat=True)) == [
        "legal-hold.placed",
        "legal-hold.lifted",
    ]
    assert "1 piece of evidence" in purge("--remove")


def removal_of(house: House, evidence: Evidence) -> SpillRemoval:
    """Asked for and approved by two officers, and tried by the worker."""
    file = evidence.revisions.get().files.get()
    asked = spill_removal.request_removal(file, reason="A key", by=house.olivia)
    spill_removal.decide_removal(asked, approve=True, by=house.oscar)
    spill_removal.destroy(asked.pk)
    asked.refresh_from_db()
    return asked


def test_a_spill_goes_before_its_end_by_two_officers(client, house, evidence):
    choose(client, house, 50)
    removal = removal_of(house, evidence)
    assert removal.destroyed_at is not None
    assert in_store() == [False]


def test_a_spill_under_a_hold_waits_until_it_is_lifted(house, evidence):
    """Nobody opens it meanwhile; the bytes are there for the court."""
    hold = place_hold(house.system, reason="A suit", by=house.olivia)
    removal = removal_of(house, evidence)
    assert (removal.outcome, removal.destroyed_at) == (spill_removal.HELD, None)
    assert in_store() == [True]
    assert evidence.revisions.get().files.get().is_removed
    lift_hold(hold, reason="Settled", by=house.oscar)
    spill_removal.destroy(removal.pk)
    removal.refresh_from_db()
    assert removal.destroyed_at is not None
    assert in_store() == [False]


def run(statement: str) -> None:
    """A statement of the role that serves, which the database refuses."""
    with (
        pytest.raises((DatabaseError, IntegrityError)),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_role_that_serves_purges_nothing_early_or_under_a_hold(
    client: Any, house: House, evidence: Evidence
) -> None:
    """Past all of our code, by the database password alone."""
    gone = "UPDATE evidence_blob SET purged_at = clock_timestamp()"
    choose(client, house, 50)
    run(gone)
    choose(client, house, 1)
    hold = place_hold(house.system, evidence=evidence, reason="A suit", by=house.olivia)
    run(gone)
    run("UPDATE evidence_blob SET sha256 = repeat('a', 64)")
    run("DELETE FROM evidence_blob")
    run("DELETE FROM evidence_evidencefile")
    run("DELETE FROM evidence_legalhold")
    run("UPDATE evidence_legalhold SET reason = 'none', placed_at = now()")
    run(
        "UPDATE evidence_legalhold SET lifted_by_id = placed_by_id, lift_reason = 'x',"
        " lifted_at = now()"
    )
    run("UPDATE evidence_retentionclass SET years = 1")
    run(
        "INSERT INTO evidence_retentionclass (system_id, change_id, years)"
        " SELECT system_id, change_id, 2 FROM evidence_retentionclass LIMIT 1"
    )
    lift_hold(hold, reason="Settled", by=house.oscar)
    run("UPDATE evidence_legalhold SET lifted_by_id = NULL")
    with connection.cursor() as cursor:
        cursor.execute(gone)
        assert cursor.rowcount == 1, "past its end, and held no longer"


def test_a_hold_that_comes_between_listing_and_purging_counts(house, evidence):
    """What was listed is looked at again under lock."""
    (group,) = purging.sharing_bytes(purging.ended_records())
    place_hold(house.system, reason="A suit", by=house.olivia)
    assert purging.purge(group) == {}
    assert in_store() == [True]


def test_a_list_of_events_keeps_bytes_that_evidence_shares(
    client, house, evidence, as_owner
):
    """Drawn today, kept for seven years: the older evidence waits for it."""
    with as_owner(), clock_at(dt.datetime(2018, 3, 1, 10, tzinfo=dt.UTC)):
        other = house.requirement("si-2")
        houses.submitted(house, per_event.listed().decode(), requirement=other)
    assert len(purging.ended_records()) == 2
    client.force_login(house.alice)
    asked = per_event.made_per_event(house)
    per_event.bring(client, asked, list=houses.file("c.csv", per_event.listed()))
    assert [record.key for record in purging.ended_records()] == [
        ("evidence", evidence.pk)
    ]
    assert "1 piece of evidence" in purge("--remove")
    assert in_store() == [False, True]
