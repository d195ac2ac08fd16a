"""An audit that is recorded is extended by a system or by controls, and what nobody has
begun with is taken out with a reason; what was known before stays as it was (R35,
AC-05).
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

from controls.engagement_scope import choose_controls, scope_of_engagement
from controls.errors import NotPermitted, Refused
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, Engagement, EngagementScope, Role, System
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.engagements.scope import choose_scope
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import no_progress, scope_of
from evidence.findings.recording import record_finding, record_observation
from evidence.models import ClosingState, WindowClosing
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give, person
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
STAYS = "an engagement stays what its auditors were let in for"


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def bank(house: House) -> System:
    """Another system of olivia's."""
    return factories.make_system(
        house.olivia, slug="bank", baseline=house.system.baseline, services=("s3",)
    )


@pytest.fixture
def audit(house: House) -> Engagement:
    """Of two controls, into which ann is let in."""
    made = factories.make_engagement(house.system)
    choose_controls(made, ["ac-1", "cm-8"], by=house.olivia)
    made.refresh_from_db()
    house.people["ann"] = person("ann")
    give(house, "ann", Role.AUDITOR, engagement=made, ends_at=BEGINS + 20 * DAY)
    return made


def browser_of(reader: Any) -> Client:
    return sign_in_just_now(Client(), reader)


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def page(engagement: Engagement, view: str = "engagement_access") -> str:
    slug = engagement.system.slug
    return reverse(f"evidence:{view}", args=[slug, engagement.uuid])


def add(officer: Client, audit: Engagement, **body: Any) -> Any:
    typed = {"system": "bank", "let_in": "on", "version": audit.version} | body
    return officer.post(page(audit, "engagement_add_system"), typed, follow=True)


def take_out(officer: Client, audit: Engagement, **body: Any) -> Any:
    typed = {"reason": "No card data there.", "version": audit.version} | body
    return officer.post(page(audit, "engagement_take_out"), typed, follow=True)


def close(audit: Engagement, by: Any, officer: Any) -> None:
    """Its window is closed."""
    made = WindowClosing.objects.create(
        system=audit.system, engagement=audit, requested_by=officer, requested_at=BEGINS
    )
    made.state, made.decided_by, made.decided_at = ClosingState.CLOSED, by, BEGINS
    made.closed_at = BEGINS
    made.save()


def csv_of(system: System, audit: Engagement, known_at: Any = None) -> str:
    """The CSV of what an audit is about."""
    filters = {"engagement": str(audit.uuid)}
    scope = scope_of(system, TODAY, known_at or knowledge_now(), None, filters)
    file = io.BytesIO()
    FORMATS["csv"].write(scope, file, no_progress)
    return file.getvalue().decode("utf-8-sig")


def labels_in(text: str) -> list[str]:
    return [row["label"] for row in csv.DictReader(io.StringIO(text))]


# --- a system joins ------------------------------------------------------------------


def test_a_system_joins_and_the_auditors_read_there_at_once(house, bank, audit) -> None:
    before = knowledge_now()
    officer, hers = browser_of(house.olivia), browser_of(house.ann)
    first = csv_of(house.system, audit, before)
    shown = text_of(add(officer, audit))
    assert "Bank is added to “Shop audit”, with its whole baseline." in shown
    assert "Let in there: Ann." in shown
    joined = Engagement.objects.get(system=bank)
    assert (joined.audit, joined.kind, joined.firm) == (
        audit.audit, audit.kind, audit.firm,
    )  # fmt: skip
    landing = reverse("evidence:audit", args=[audit.uuid])
    now = text_of(hers.get(landing))
    assert "Other systems of this audit Bank 0 of 4 controls begun" in now
    assert hers.get(reverse("evidence:audit", args=[joined.uuid])).status_code == 200
    event = AuditEvent.objects.get(verb="engagement.system_added")
    assert '"bank"' in event.body and "Ann" in event.body
    # as it was known before, the audit is of one system
    then = text_of(hers.get(landing, {"known_at": before.isoformat()}))
    assert "Other systems of this audit" not in then
    there = reverse("evidence:audit", args=[joined.uuid])
    assert "This audit was not recorded at that time" in text_of(
        hers.get(there, {"known_at": before.isoformat()})
    )
    assert csv_of(house.system, audit, before) == first
    assert "which covers Shop, Bank; here 2 chosen controls" in csv_of(
        house.system, audit
    )
    with pytest.raises(Refused, match="not recorded at that time"):
        csv_of(bank, joined, before)
    assert len(labels_in(csv_of(bank, joined))) == 4


def test_who_may_add_and_what_is_refused(house, bank, audit) -> None:
    officer = browser_of(house.olivia)
    foreign = factories.make_system(
        house.mallory, slug="foreign", baseline=house.system.baseline, services=("s3",)
    )
    answer = add(officer, audit, system="foreign")
    assert answer.status_code == 422 and not foreign.engagements.exists()
    give(house, "mallory", Role.OFFICER)  # of the shop, not of the bank
    assert add(browser_of(house.mallory), audit).status_code == 422
    stale = add(officer, audit, version=audit.version - 1)
    assert "changed since you opened it" in text_of(stale)
    assert add(officer, audit, let_in="").status_code == 200
    assert not bank.memberships.filter(role=Role.AUDITOR).exists()
    # the form of another tab, from before
    twice = add(officer, audit)
    assert twice.status_code == 422
    assert "that this audit does not cover yet" in text_of(twice)
    assert bank.engagements.count() == 1


def test_a_closed_or_ended_audit_takes_no_system(house, bank, audit) -> None:
    officer = browser_of(house.olivia)
    close(audit, house.ann, house.olivia)
    refused = text_of(add(officer, audit))
    assert "The window of this audit is closed in Shop" in refused
    page_of_scope = page(audit, "engagement_scope")
    body = {"which": "baseline", "version": audit.version}
    assert "Its window is closed" in text_of(
        officer.post(page_of_scope, body, follow=True)
    )
    assert not bank.engagements.exists()
    # the database says the same
    copy = Engagement(
        system=bank, audit=audit.audit, title="x", kind=audit.kind, firm="x",
        window_start=audit.window_start, window_end=audit.window_end,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match=STAYS), transaction.atomic():
        copy.save(force_insert=True)
    wider = EngagementScope(engagement=audit, chosen_by=house.olivia)
    with pytest.raises(IntegrityError, match=STAYS), transaction.atomic():
        wider.save(force_insert=True)


def test_over_the_api(house, bank, audit) -> None:
    officer = browser_of(house.olivia)
    place = f"/api/v1/engagements/{audit.uuid}"
    tag = officer.get(f"{place}/").headers["ETag"]
    sent = {"headers": {"If-Match": tag}, "content_type": "application/json"}
    body = {"system": "bank"}
    assert officer.post(f"{place}/systems/", body, content_type="application/json"
                        ).status_code == 428  # fmt: skip
    made = officer.post(f"{place}/systems/", body, **sent)
    assert made.status_code == 201, made.content
    assert made.json()["system"] == "bank" and made.json()["audit"] == str(audit.audit)
    assert [one["name"] for one in made.json()["auditors"]] == ["Ann"]
    there = f"/api/v1/engagements/{made.json()['uuid']}"
    sent["headers"] = {"If-Match": made.headers["ETag"]}
    assert officer.post(f"{there}/take-out/", {}, **sent).status_code == 400
    out = officer.post(f"{there}/take-out/", {"reason": "No card data."}, **sent)
    assert out.status_code == 200 and out.json()["ended_at"]
    assert out.json()["controls"] == []
    changes = officer.get(f"{there}/scope/").json()["changes"]
    assert [one["reason"] for one in changes] == ["No card data."]


# --- a system is taken out -----------------------------------------------------------


def test_a_system_is_taken_out_where_nothing_was_tested(house, bank, audit) -> None:
    officer, hers = browser_of(house.olivia), browser_of(house.ann)
    add(officer, audit)
    joined = Engagement.objects.get(system=bank)
    known = knowledge_now()
    before = csv_of(bank, joined, known)
    assert "Say why it is taken out" in text_of(take_out(officer, joined, reason=" "))
    shown = text_of(take_out(officer, joined))
    assert "Bank is out of “Shop audit” from now on" in shown
    assert hers.get(reverse("evidence:audit", args=[joined.uuid])).status_code == 404
    landing = reverse("evidence:audit", args=[audit.uuid])
    assert "Other systems of this audit" not in text_of(hers.get(landing))
    assert csv_of(bank, joined, known) == before
    assert "which covers Shop; here" in csv_of(house.system, audit)
    assert labels_in(csv_of(bank, joined)) == []
    event = AuditEvent.objects.get(verb="engagement.taken_out")
    assert "No card data there." in event.body
    again = text_of(take_out(officer, joined, version=joined.version + 1))
    assert "This engagement has ended" in again or "changed since" in again
    with pytest.raises(IntegrityError, match=STAYS), transaction.atomic():
        EngagementScope.objects.create(engagement=joined, chosen_by=house.olivia)


def test_where_somebody_has_begun_it_stays(house, bank, audit) -> None:
    officer = browser_of(house.olivia)
    audit.refresh_from_db()
    assert "No other system of this audit runs" in text_of(take_out(officer, audit))
    add(officer, audit)
    joined = Engagement.objects.get(system=bank)
    control = factories.implementation(bank, "pe-3")
    mark_control(joined, control, MarkDraft("in_progress"), by=house.ann, now=BEGINS)
    refused = text_of(take_out(officer, joined))
    assert "The auditors have begun with PE-3 here: the system stays" in refused
    joined.refresh_from_db()
    assert joined.ended_at is None
    out = EngagementScope(
        engagement=joined, chosen_by=house.olivia, covered=False, reason="x"
    )
    with pytest.raises(IntegrityError, match=STAYS), transaction.atomic():
        out.save(force_insert=True)


# --- controls ------------------------------------------------------------------------


def test_controls_are_taken_out_with_a_reason_that_stands_in_files(
    house, audit
) -> None:
    officer, hers = browser_of(house.olivia), browser_of(house.ann)
    known = knowledge_now()
    before = csv_of(house.system, audit, known)
    control = factories.implementation(house.system, "ac-1")
    mark_control(audit, control, MarkDraft("satisfied"), by=house.ann, now=BEGINS)
    place = page(audit, "engagement_scope")
    body = {"which": "chosen", "version": audit.version, "controls": ["cm-8"]}
    begun = officer.post(place, body | {"reason": "Too many."})
    assert "The auditors have begun with AC-1" in text_of(begun)
    body["controls"] = ["ac-1", "si-2"]
    unsaid = officer.post(place, body)
    assert unsaid.status_code == 422
    assert "were let in for CM-8: say why this is taken out" in text_of(unsaid)
    reason = "Agreed with the firm, see minutes."
    saved = officer.post(place, body | {"reason": reason}, follow=True)
    assert "This audit is about 2 chosen controls" in text_of(saved)
    landing = text_of(hers.get(reverse("evidence:audit", args=[audit.uuid])))
    assert "SI-2 added, CM-8 taken out" in landing and reason in landing
    house.olivia.name = "Renamed"
    house.olivia.save()
    after = csv_of(house.system, audit)
    assert labels_in(after) == ["AC-1", "SI-2"]
    assert f"SI-2 added, CM-8 taken out on {TODAY} by Olivia: “{reason}”" in after
    assert csv_of(house.system, audit, known) == before
    # nor by the database, with a reason of one's own
    row = EngagementScope(
        engagement=audit, chosen_by=house.olivia, controls=["si-2"], reason="x"
    )
    with pytest.raises(IntegrityError, match=STAYS), transaction.atomic():
        row.save(force_insert=True)
    assert scope_of_engagement(audit).controls == {"ac-1", "si-2"}
    with pytest.raises(NotPermitted):
        choose_scope(audit, ["ac-1"], reason="x", by=house.ann)


def test_auditors_write_down_nothing_about_what_is_out_of_scope(house, audit) -> None:
    """A failing observation or a finding moves the company's verdict (R28)."""
    outside = factories.implementation(house.system, "pe-3")
    inside = factories.implementation(house.system, "cm-8")
    seen = {"source": "walk", "text": "An open door.", "observed_on": TODAY}
    found = {"title": "Doors", "text": "Open.", "severity": "low", "found_on": TODAY}
    with pytest.raises(Refused, match="PE-3 is out of the scope of your audit"):
        record_observation(outside, by=house.ann, **seen)
    with pytest.raises(Refused, match="PE-3 is out of the scope of your audit"):
        record_finding(outside, by=house.ann, **found)
    record_observation(inside, by=house.ann, **seen)
    record_observation(outside, by=house.olivia, **seen)
    hers = browser_of(house.ann)
    place = reverse("evidence:observation_new", args=["shop", "pe-3"])
    typed = {"source": "walk", "text": "An open door.", "observed_on": str(TODAY)}
    answer = hers.post(place, typed)
    assert answer.status_code == 400
    assert "out of the scope of your audit" in text_of(answer)
    assert "An open door." in answer.content.decode()
