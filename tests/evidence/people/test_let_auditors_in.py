"""AC-05, AC-09, AC-10: officers record an audit, renew the access of its auditors for
90 days at most, and end it; what they opened closes with the next request."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.accounts.invitations import invite
from controls.errors import TransitionNotAllowed
from controls.memberships import RoleOffer, take_role
from controls.models import AuditEvent, Engagement, Invitation, Membership, Role
from evidence.exports.jobs import request_export
from tests import factories
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SOC2 = {
    "title": "SOC 2 Type II 2026",
    "kind": "type2",
    "firm": "Harbour & Stone",
    "window_start": "2026-01-01",
    "window_end": "2026-12-31",
}


@pytest.fixture(autouse=True)
def no_second_factor(settings):
    settings.MFA_REQUIRED = False


def browser_of(person: Any) -> Client:
    return sign_in_just_now(Client(), person)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def record(browser: Client, system: Any, **other: str) -> Any:
    page = reverse("evidence:engagement_new", args=[system.slug])
    return browser.post(page, SOC2 | other, follow=True)


def post(browser: Client, door: str, engagement: Engagement, **said: Any) -> Any:
    parts = [engagement.system.slug, engagement.uuid]
    page = reverse(f"evidence:engagement_{door}", args=parts)
    return browser.post(page, {"version": engagement.version} | said, follow=True)


@pytest.fixture
def audit(audrey: Any) -> Engagement:
    """The audit into which audrey is let in to 23 December."""
    engagement = audrey.memberships.get().engagement
    assert engagement is not None
    return engagement


def test_an_officer_records_an_audit_and_sees_it_listed(oscar, system) -> None:
    browser = browser_of(oscar)
    page = text_of(record(browser, system))
    assert "“SOC 2 Type II 2026” is recorded for 1 system." in page
    assert "Nobody is let in yet." in page
    made = Engagement.objects.get()
    assert (made.firm, str(made.window_end)) == ("Harbour & Stone", "2026-12-31")
    event = AuditEvent.objects.get(verb="engagement.made")
    assert (event.chain, event.actor) == (str(system.uuid), oscar)
    listed = browser.get(reverse("evidence:engagements", args=[system.slug]))
    assert "SOC 2 Type II 2026" in text_of(listed)
    assert "SOC 2 Type II, Harbour &amp; Stone" in text_of(listed)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"window_end": "2025-12-31"}, "The window ends before it starts."),
        ({"kind": "type1"}, "A SOC 2 Type I is about one day"),
        ({"window_start": "1999-01-01"}, "days of the last ten years or ahead"),
        ({"window_end": "2031-01-01"}, "A window has at most 1098 days."),
        ({"firm": ""}, "“Firm” is missing."),
        ({"kind": "opinion"}, "“Kind” offers no such choice"),
    ],
)
def test_an_audit_that_cannot_be_is_refused_at_its_field(
    oscar, system, typed, sentence
) -> None:
    answer = record(browser_of(oscar), system, **typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert not Engagement.objects.exists()


def test_a_type_i_is_about_one_day(oscar, system) -> None:
    record(browser_of(oscar), system, kind="type1", window_end="2026-01-01")
    assert Engagement.objects.get().window_start == dt.date(2026, 1, 1)


def test_only_officers_keep_engagements(as_user, audrey, rita, audit) -> None:
    for person in (audrey, rita):
        assert post(browser_of(person), "end", audit).status_code == 403
        page = reverse("evidence:engagements", args=[audit.system.slug])
        assert as_user(person).get(page).status_code == 403
    audit.refresh_from_db()
    assert audit.ended_at is None


# --- renew ---------------------------------------------------------------------------


def test_ac_05_a_renewed_access_follows_the_one_before(
    oscar, audrey, audit, system
) -> None:
    last_day = TODAY + 89 * DAY
    said = {"people": audrey.uuid, "last_day": str(last_day)}
    answer = post(browser_of(oscar), "renew", audit, **said)
    assert "Let in to 2027-02-20, that day included: Audrey." in text_of(answer)
    first, second = audrey.memberships.order_by("starts_at")
    assert second.starts_at == first.ends_at
    assert second.ends_at == system.end_of_day(last_day)
    assert second.engagement == audit
    verbs = AuditEvent.objects.filter(actor=oscar).order_by("-seq")
    assert verbs.values_list("verb", flat=True)[0] == "engagement.renewed"


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (90, "90 days at most, counted from today"),
        (-1, "Access ends today or later, never before."),
        (10, "Audrey is let in until then already."),
    ],
)
def test_ac_05_what_cannot_be_renewed_is_refused(
    oscar, audrey, audit, days, sentence
) -> None:
    said = {"people": audrey.uuid, "last_day": str(TODAY + days * DAY)}
    answer = post(browser_of(oscar), "renew", audit, **said)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert audrey.memberships.count() == 1


def test_ac_05_the_database_refuses_a_grant_that_overlaps(audrey, audit) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.give_role(
            audrey,
            audit.system,
            Role.AUDITOR,
            engagement=audit,
            starts_at=audrey.memberships.get().ends_at - dt.timedelta(seconds=1),
            ends_at=BEGINS + 60 * DAY,
        )


def test_nobody_else_is_let_in_by_renewing(oscar, rita, audrey, audit) -> None:
    said = {"people": rita.uuid, "last_day": str(TODAY + 60 * DAY)}
    answer = post(browser_of(oscar), "renew", audit, **said)
    assert answer.status_code == 422
    assert not Membership.objects.filter(user=rita, role=Role.AUDITOR).exists()


def test_who_renewed_in_between_is_not_overwritten(oscar, olga, audrey, audit) -> None:
    said = {"people": audrey.uuid, "last_day": str(TODAY + 60 * DAY)}
    post(browser_of(olga), "renew", audit, **said)
    later = said | {"last_day": str(TODAY + 80 * DAY)}
    answer = post(browser_of(oscar), "renew", audit, **later)
    assert answer.status_code == 409
    assert "This changed since you opened it." in text_of(answer)
    assert audrey.memberships.count() == 2


# --- end -----------------------------------------------------------------------------


def test_ac_09_an_ended_engagement_opens_nothing_with_the_next_request(
    oscar, audrey, audit, system
) -> None:
    hers = browser_of(audrey)
    page = reverse("evidence:dashboard", args=[system.slug])
    assert hers.get(page).status_code == 200
    answer = post(browser_of(oscar), "end", audit)
    assert "its auditors read nothing any more" in text_of(answer)
    assert hers.get(page).status_code == 404
    audit.refresh_from_db()
    assert audit.ended_at is not None
    verbs = list(AuditEvent.objects.filter(actor=oscar).values_list("verb", flat=True))
    assert verbs[-2:] == ["membership.changed", "engagement.ended"]


def test_ac_10_an_export_of_an_ended_engagement_is_not_handed_over(
    oscar, audrey, audit, system
) -> None:
    export = request_export(system, by=audrey, on=TODAY)
    post(browser_of(oscar), "end", audit)
    page = reverse("evidence:export_download", args=[export.uuid])
    assert browser_of(audrey).get(page).status_code == 404


def test_an_ended_engagement_lets_nobody_in(oscar, audrey, audit, system) -> None:
    offer = RoleOffer(Role.AUDITOR, TODAY, TODAY + 9 * DAY, engagement=audit)
    sent = invite(system, "ann@example.org", offer, by=oscar, now=clock.now())
    post(browser_of(oscar), "end", audit)
    sent.refresh_from_db()
    assert sent.state == "withdrawn"
    newcomer = factories.make_user("ann")
    with pytest.raises(TransitionNotAllowed, match="has ended"):
        take_role(system, newcomer, offer, given_by=oscar, now=clock.now())
    people = browser_of(oscar).get(reverse("evidence:people", args=[system.slug]))
    assert audit.title not in text_of(people).partition('id="invite"')[2]
    assert not Invitation.objects.filter(state="open").exists()


def test_an_engagement_ends_once(oscar, audrey, audit) -> None:
    browser = browser_of(oscar)
    post(browser, "end", audit)
    audit.refresh_from_db()
    assert "Ended on 23 November 2026." in text_of(
        browser.get(
            reverse("evidence:engagement_access", args=[audit.system.slug, audit.uuid])
        )
    )
    answer = post(browser, "end", audit)
    assert "This engagement has ended. Make another one." in text_of(answer)
    said = {"people": audrey.uuid, "last_day": str(TODAY + 60 * DAY)}
    assert post(browser, "renew", audit, **said).status_code == 409
