"""AC-05, R30, R32: the admin makes and corrects audits by the rules of their own page;
once an auditor was let in nobody changes what the audit is about, nor reopens it, the
database's own door included."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls.engagements import end_engagement
from controls.models import AuditEvent, Engagement
from tests import factories
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
REFUSAL = "an engagement stays what its auditors were let in for"
LET_IN = "Its auditors were let in for this kind of audit and this window"


@pytest.fixture
def desk(settings: Any, oscar: Any) -> Client:
    """The browser of the officer, who is staff."""
    settings.MFA_REQUIRED = False
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    return sign_in_just_now(Client(), oscar)


@pytest.fixture
def audit(audrey: Any) -> Engagement:
    """The Type II audit into which audrey is let in."""
    engagement: Engagement = audrey.memberships.get().engagement
    return engagement


def typed(row: Engagement, **said: Any) -> dict[str, Any]:
    names = ("title", "kind", "firm", "window_start", "window_end")
    body = {name: str(getattr(row, name)) for name in names}
    return body | {"seen_version": row.version} | said


def correct(browser: Client, row: Engagement, **said: Any) -> str:
    page = reverse("admin:controls_engagement_change", args=[row.pk])
    answer = browser.post(page, typed(row, **said), follow=True)
    row.refresh_from_db()
    return answer.content.decode()


def test_one_is_made_as_on_its_own_page(desk, oscar, system):
    add = reverse("admin:controls_engagement_add")
    draft = typed(factories.make_engagement(system), system=system.pk, title="New")
    wrong = draft | {"kind": "type1"}
    page = desk.post(add, wrong, follow=True).content.decode()
    assert "A SOC 2 Type I is about one day" in page
    assert not Engagement.objects.filter(title="New").exists()
    desk.post(add, draft, follow=True)
    made = Engagement.objects.get(title="New")
    event = AuditEvent.objects.get(verb="engagement.made")
    assert (event.subject_uuid, event.actor) == (made.uuid, oscar)


def test_until_somebody_is_let_in_it_is_corrected(desk, oscar, system):
    row = factories.make_engagement(system)
    day = str(row.window_end)
    correct(desk, row, kind="type1", window_start=day)
    assert (row.kind, str(row.window_start)) == ("type1", day)
    assert row.version == 2
    event = AuditEvent.objects.get(verb="engagement.corrected")
    body = json.loads(event.body)
    assert (body["before"]["kind"], body["after"]["kind"]) == ("type2", "type1")
    assert (event.chain, event.actor) == (str(system.uuid), oscar)


@pytest.mark.parametrize("name", ["kind", "window_start", "window_end"])
def test_what_auditors_were_let_in_for_stays(desk, audit, name):
    day = audit.window_start + dt.timedelta(days=30)
    said = {"kind": "other"} if name == "kind" else {name: str(day)}
    before = getattr(audit, name)
    assert LET_IN in correct(desk, audit, **said)
    assert getattr(audit, name) == before
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        Engagement.objects.filter(pk=audit.pk).update(**said)
    assert not AuditEvent.objects.filter(verb="engagement.corrected").exists()
    correct(desk, audit, title="SOC 2, second year")
    assert audit.title == "SOC 2, second year"


def test_one_moves_to_no_other_system(desk, audit, oscar):
    other = factories.make_system(oscar, slug="elsewhere")
    correct(desk, audit, system=other.pk, title="Moved")
    assert (audit.title, audit.system.slug) == ("Moved", "payments")
    with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
        Engagement.objects.filter(pk=audit.pk).update(system=other)


def test_one_that_has_ended_stays_ended(desk, audit, oscar):
    end_engagement(audit, by=oscar, now=BEGINS)
    audit.refresh_from_db()
    assert "This engagement has ended" in correct(desk, audit, title="Again")
    for ended_at in (None, BEGINS + dt.timedelta(days=1)):
        with pytest.raises(IntegrityError, match=REFUSAL), transaction.atomic():
            Engagement.objects.filter(pk=audit.pk).update(ended_at=ended_at)


def test_only_officers_of_its_system_correct_one(desk, system, olga):
    other = factories.make_system(olga, slug="elsewhere")
    row = factories.make_engagement(other)
    correct(desk, row, title="Mine")
    assert row.title != "Mine"
