"""An audit covers one or several systems, all of the baseline or chosen controls; what
is out of scope is said to be, on every page and in every file (R28, AC-05).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls.accounts.invitations import accept_invitation, invite, link_key
from controls.audit_systems import end_in_audit, make_audit, renew_in_audit
from controls.engagement_scope import (
    choose_controls,
    read_controls,
    scope_of_engagement,
)
from controls.engagements import EngagementDraft
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.memberships import RoleOffer
from controls.models import AuditEvent, Engagement, EngagementScope, Role
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.exports.closing import confirm_closing, request_closing
from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export, open_file, opened_for, request_export
from evidence.exports.rows.scope import no_progress, scope_of
from evidence.models import Export
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give, person
from tests.evidence.reviews.hands import accepted
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def audit(house: House) -> Engagement:
    """Of two controls, into which ann is let in."""
    made = factories.make_engagement(house.system)
    choose_controls(made, ["ac-1", "cm-8"], by=house.olivia)
    house.people["ann"] = person("ann")
    give(house, "ann", Role.AUDITOR, engagement=made, ends_at=BEGINS + 20 * DAY)
    return made


def browser_of(reader: Any) -> Client:
    return sign_in_just_now(Client(), reader)


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def door(audit: Engagement, view: str = "audit", *parts: str) -> str:
    return reverse(f"evidence:{view}", args=[audit.uuid, *parts])


def labels_in(content: bytes) -> list[str]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return [row["label"] for row in rows]


# --- choosing ------------------------------------------------------------------------


def test_a_pasted_list_is_read_and_what_is_unknown_is_named(house) -> None:
    read = read_controls(house.system, "AC-1, cm 8;\nCM-08\nSI-2 PE-3, AC-99, nonsense")
    assert read.controls == ("ac-1", "cm-8", "si-2", "pe-3")
    assert read.unknown == ("AC-99", "nonsense")


def test_an_officer_chooses_by_ticking_and_pasting(house) -> None:
    audit = factories.make_engagement(house.system)
    officer = browser_of(house.olivia)
    page = reverse("evidence:engagement_scope", args=[house.system.slug, audit.uuid])
    body = {"which": "chosen", "version": audit.version, "controls": ["ac-1"]}
    wrong = officer.post(page, body | {"pasted": "CM-8, AC-77"})
    assert wrong.status_code == 422
    assert "This system has no control “AC-77”." in text_of(wrong)
    assert not EngagementScope.objects.exists()
    whole = officer.post(page, body | {"which": "baseline", "pasted": "CM-8"})
    assert "Take “Chosen controls”, or leave the list empty." in text_of(whole)
    saved = officer.post(page, body | {"pasted": "CM-8"}, follow=True)
    assert "It is about 2 chosen controls of Four" in text_of(saved)
    assert scope_of_engagement(audit).controls == {"ac-1", "cm-8"}
    stale = officer.post(page, body | {"pasted": "SI-2"}, follow=True)
    assert "changed since you opened it" in text_of(stale)
    event = AuditEvent.objects.get(verb="engagement.scope_chosen")
    assert "2 chosen controls" in event.body and "CM-8" in event.body
    assert "2 chosen controls" in text_of(officer.get(page))
    for name in ("audrey", "alice", "rita", "ray"):
        assert browser_of(house.people[name]).get(page).status_code in (403, 404), name


def test_nothing_is_taken_from_auditors_who_look(house, audit) -> None:
    with pytest.raises(Refused, match="say why this is taken out"):
        choose_controls(audit, ["ac-1"], by=house.olivia)
    with pytest.raises(Refused, match="no control “zz-9”"):
        choose_controls(audit, ["ac-1", "cm-8", "zz-9"], by=house.olivia)
    with pytest.raises(Refused, match="at least one control"):
        choose_controls(audit, [], by=house.olivia)
    with pytest.raises(NotPermitted):
        choose_controls(audit, None, by=house.ann)
    wider = choose_controls(audit, ["ac-1", "cm-8", "si-2"], by=house.olivia)
    assert "si-2" in wider
    narrow = EngagementScope(
        engagement=audit, chosen_by=house.olivia, controls=["si-2"]
    )
    refusal = "an engagement stays what its auditors were let in for"
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        narrow.save(force_insert=True)
    choose_controls(audit, None, by=house.olivia)
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        narrow.save(force_insert=True)


# --- what is out of scope ------------------------------------------------------------


def test_pages_follow_the_scope(house, audit) -> None:
    hers = browser_of(house.ann)
    landing = text_of(hers.get(door(audit)))
    assert "2 controls of Four" in landing
    assert "chosen; 2 more of the system are out of scope" in landing
    assert "0 of 2 controls begun" in landing
    table = text_of(hers.get(door(audit, "audit_controls")))
    assert "2 of 2 controls" in table
    inside, _, outside = table.partition("2 controls of the system are out of scope")
    assert "CM-8" in inside and "PE-3" not in inside
    assert re.search(r"PE-3 .*? out of scope", outside)
    mark = text_of(hers.get(door(audit, "mark", "pe-3")))
    assert "out of scope PE-3 is out of the scope of this audit" in mark
    assert "Save the mark" not in mark and "Result" not in mark
    typed = {"state": "satisfied", "version": 0}
    refused = hers.post(door(audit, "mark", "pe-3"), typed)
    assert "PE-3 is out of the scope of this audit" in text_of(refused)
    several = {"state-pe-3": "satisfied", "seen-pe-3": "not_started:0"}
    page = hers.post(door(audit, "marks_save"), several, follow=True)
    assert "PE-3 is out of the scope of this audit" in text_of(page)
    assert not audit.marks.exists()
    assert hers.post(door(audit, "mark", "cm-8"), typed).status_code == 302
    assert "1 of 2 controls begun" in text_of(hers.get(door(audit)))


def test_marks_out_of_scope_are_refused_by_the_database(house, audit) -> None:
    control = factories.implementation(house.system, "cm-8")
    mark = mark_control(
        audit, control, MarkDraft("satisfied"), by=house.ann, now=BEGINS
    )
    mark.pk, mark.uuid = None, None
    mark.implementation = factories.implementation(house.system, "pe-3")
    refusal = "only auditors of this running engagement write here"
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        mark.save(force_insert=True)


def test_news_are_of_the_scope(house, audit) -> None:
    accepted(houses.submitted(house, requirement=house.requirement("si-2")))
    hers = browser_of(house.ann)
    assert "1 piece of evidence accepted" not in text_of(hers.get(door(audit)))
    accepted(houses.submitted(house))
    assert "1 piece of evidence accepted" in text_of(hers.get(door(audit)))


def test_each_format_holds_what_is_in_scope_and_says_so(house, audit) -> None:
    """Of the scope as it was known then, byte for byte (R35)."""
    filters = {"engagement": str(audit.uuid)}
    scope = scope_of(house.system, TODAY, knowledge_now(), None, filters)
    names = ("csv", "xlsx", "oscal-assessment-results", "fedramp-crm", "matrix-csv")
    files = {name: content_of(scope, name) for name in names}
    assert labels_in(files["csv"]) == ["AC-1", "CM-8"]
    assert "out of its scope" in files["csv"].decode()
    assert b"pe-3" not in files["oscal-assessment-results"]
    choose_controls(audit, None, by=house.olivia)
    Engagement.objects.filter(pk=audit.pk).update(title="Renamed")
    for name, before in files.items():
        assert content_of(scope, name) == before, name


def content_of(scope: Any, name: str) -> bytes:
    """The bytes of one format of a scope."""
    file = io.BytesIO()
    FORMATS[name].write(scope, file, no_progress)
    return file.getvalue()


def test_an_export_is_asked_for_by_who_reads_the_audit(house, audit) -> None:
    filters = {"engagement": str(audit.uuid)}
    for text in (str(audit.uuid), "nonsense"):
        with pytest.raises(Refused, match="Choose an audit of this system"):
            request_export(
                house.system, by=house.ray, on=TODAY, filters={"engagement": text}
            )
    export = request_export(house.system, by=house.ann, on=TODAY, filters=filters)
    hers = browser_of(house.ann)
    assert "in the scope of “Shop audit”, 2 chosen controls" in text_of(
        hers.get(reverse("evidence:exports"))
    )
    table = hers.get(door(audit, "audit_controls")).content.decode()
    assert f"engagement={audit.uuid}" in table
    assert export.filters == filters


@pytest.mark.django_db(transaction=True)
def test_what_is_kept_at_the_closing_follows_the_scope(house, audit) -> None:
    ended = factories.make_engagement(house.system)
    Engagement.objects.filter(pk=ended.pk).update(
        window_start=TODAY - 100 * DAY, window_end=TODAY - DAY
    )
    ended.refresh_from_db()
    choose_controls(ended, ["cm-8"], by=house.olivia)
    house.people["eve"] = person("eve")
    give(house, "eve", Role.AUDITOR, engagement=ended, ends_at=BEGINS + 20 * DAY)
    closing = request_closing(ended, by=house.olivia, now=BEGINS)
    confirm_closing(closing, by=house.eve, now=BEGINS)
    export = Export.objects.get(closing=closing, kind="status-csv")
    make_export(export.pk)
    export.refresh_from_db()
    opened_for(export, by=house.eve).body.close()
    with open_file(export) as file:
        assert labels_in(file.read()) == ["CM-8"]
    page = reverse("evidence:engagement_scope", args=[house.system.slug, ended.uuid])
    body = {"which": "baseline", "version": 2}
    answer = browser_of(house.olivia).post(page, body, follow=True)
    assert "Its window is closed" in text_of(answer)


# --- several systems -----------------------------------------------------------------


def test_one_audit_of_several_systems(house) -> None:
    """Each system keeps its own access; one invitation, renewal and end reach all of
    those in which the person is an officer (AC-05)."""
    bank = factories.make_system(
        house.olivia, slug="bank", baseline=house.system.baseline, services=("s3",)
    )
    foreign = factories.make_system(
        house.mallory, slug="foreign", baseline=house.system.baseline, services=("s3",)
    )
    draft = EngagementDraft(
        "SOC 2 of both", "type2", "Audit & Sons", TODAY - 90 * DAY, TODAY + 90 * DAY
    )
    with pytest.raises(NotPermitted):
        make_audit([house.system, foreign], draft, by=house.olivia, now=BEGINS)
    assert not Engagement.objects.filter(title=draft.title).exists()
    page = reverse("evidence:engagement_new", args=[house.system.slug])
    officer = browser_of(house.olivia)
    listed = officer.get(reverse("evidence:engagements", args=[house.system.slug]))
    token = re.search(r'name="form_token" value="([^"]+)', listed.content.decode())
    body = {
        "title": draft.title, "kind": "type2", "firm": draft.firm,
        "window_start": str(draft.window_start), "window_end": str(draft.window_end),
        "systems": ["bank"], "form_token": token[1] if token else "",
    }  # fmt: skip
    assert "recorded for 2 systems" in text_of(officer.post(page, body, follow=True))
    here, there = Engagement.objects.filter(title=draft.title).order_by("pk")
    assert here.audit == there.audit and there.system == bank
    with pytest.raises(IntegrityError), transaction.atomic():
        Engagement.objects.filter(pk=there.pk).update(audit=here.uuid)

    eve = house.people["eve"] = person("eve")
    last = TODAY + 10 * DAY
    offer = RoleOffer(Role.AUDITOR, TODAY, last, engagement=here)
    invitation = invite(house.system, eve.email, offer, by=house.olivia, now=BEGINS)
    accept_invitation(link_key(invitation), by=eve, now=BEGINS)
    assert set(eve.memberships.values_list("system__slug", flat=True)) == {
        "shop", "bank",
    }  # fmt: skip
    hers = browser_of(eve)
    assert "Other systems of this audit" in text_of(hers.get(door(here)))
    assert hers.get(door(there)).status_code == 200
    assert hers.get(reverse("evidence:dashboard", args=["foreign"])).status_code == 404

    renew_in_audit(here, [eve], last_day=last + 20 * DAY, by=house.olivia, now=BEGINS)
    assert eve.memberships.count() == 4
    end_in_audit(here, by=house.olivia, now=BEGINS)
    assert hers.get(door(there)).status_code == 404
    with pytest.raises(TransitionNotAllowed):
        choose_controls(there, ["ac-1"], by=house.olivia)
