"""Somebody opens a control and sees both halves, why, and what to do next."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


def url_of(system, ref_id: str) -> str:
    return reverse("evidence:control", args=[system.slug, ref_id])


def test_a_shared_control_shows_both_halves_and_what_is_missing(system, alice, as_user):
    page = as_user(alice).get(url_of(system, "si-2")).content.decode()
    assert "AWS proves" in page
    assert "You prove" in page
    assert "was never performed" in page
    assert "Template, confirm for your use." in page
    assert "Guest operating system" in page
    asked = factories.requirement(system, "si-2")
    assert reverse("evidence:upload", args=[system.slug, asked.uuid]) in page


def test_it_shows_reports_days_evidence_reviewer_and_hash(
    system, oscar, olga, alice, rita, as_user
):
    artifact = factories.make_artifact(oscar, ["si-2"])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY)
    factories.rely_on(report, system, by=olga)
    link = factories.make_evidence(
        factories.requirement(system, "si-2"), by=alice, performed_on=TODAY
    )
    link.accept(by=rita)

    answer = as_user(alice).get(url_of(system, "si-2"))

    page = answer.content.decode()
    assert answer.context["answer"].status.verdict == "proven"
    assert "SOC 2 Type II" in page
    assert "relied on" in page
    assert "accepted by Rita" in page
    assert link.revision.digest[:12] in page
    assert answer.context["aws_timeline"][0].timeline.stretches
    assert answer.context["requirements"][0].results


def test_an_inherited_control_asks_nothing_of_us(system, alice, as_user):
    page = as_user(alice).get(url_of(system, "pe-3")).content.decode()
    assert "Nothing is asked of you here" in page


def test_before_it_was_uploaded_it_was_not_known(system, alice, as_user):
    factories.make_evidence(
        factories.requirement(system, "si-2"), by=alice, performed_on=TODAY
    )
    known = (clock.now() - dt.timedelta(days=2)).isoformat()
    answer = as_user(alice).get(url_of(system, "si-2"), {"known_at": known})
    assert "was not recorded at that time" in answer.content.decode()
    assert "Upload proof" not in answer.content.decode()


def test_the_owner_team_describes_its_half(system, alice, as_user):
    control = factories.implementation(system, "si-2")
    url = reverse("evidence:control_describe", args=[system.slug, "si-2"])
    given = {
        "implementation_status": "partial",
        "owner_team": control.owner_team_id,
        "customer_statement": "We patch every month.",
        "version": control.version,
    }

    answer = as_user(alice).post(url, given, follow=True)

    assert "We patch every month." in answer.content.decode()
    control.refresh_from_db()
    assert (control.implementation_status, control.version) == ("partial", 2)
    event = AuditEvent.objects.get(verb="implementation.described")
    assert event.actor == alice


def test_a_stale_form_is_refused_and_keeps_the_text(system, alice, oscar, as_user):
    control = factories.implementation(system, "si-2")
    url = reverse("evidence:control_describe", args=[system.slug, "si-2"])
    given = {
        "implementation_status": "partial",
        "owner_team": control.owner_team_id,
        "customer_statement": "Mine",
        "version": control.version,
    }
    as_user(alice).post(url, given)

    answer = as_user(oscar).post(url, given | {"customer_statement": "Theirs"})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody saved this control since you opened it" in page
    assert "Theirs" in page
    assert 'name="version" value="2"' in page
    control.refresh_from_db()
    assert control.customer_statement == "Mine"


def test_only_officers_name_another_owner(system, alice, as_user):
    control = factories.implementation(system, "si-2")
    url = reverse("evidence:control_describe", args=[system.slug, "si-2"])
    given = {
        "implementation_status": "implemented",
        "owner_team": factories.make_team("Other").pk,
        "customer_statement": "",
        "version": control.version,
    }
    assert as_user(alice).post(url, given).status_code == 403
    control.refresh_from_db()
    assert control.owner_team.name == "Platform"


@pytest.mark.parametrize(
    ("who", "status"), [("rita", 403), ("audrey", 403), ("mallory", 404)]
)
def test_others_do_not_describe_it(who, status, system, request, as_user):
    browser = as_user(request.getfixturevalue(who))
    url = reverse("evidence:control_describe", args=[system.slug, "si-2"])
    assert browser.post(url, {}).status_code == status
    assert browser.get(url).status_code == 302


@pytest.mark.parametrize("who", ["rita", "audrey", "olga"])
def test_readers_see_it_without_forms_they_may_not_send(who, system, request, as_user):
    page = as_user(request.getfixturevalue(who)).get(url_of(system, "si-2"))
    may = who == "olga"
    assert ("Change status or description" in page.content.decode()) is may
    assert ("Ask for another class" in page.content.decode()) is may


def test_a_foreign_or_unknown_control_is_not_found(system, mallory, alice, as_user):
    assert as_user(mallory).get(url_of(system, "si-2")).status_code == 404
    assert as_user(alice).get(url_of(system, "zz-99")).status_code == 404


def test_more_evidence_costs_no_more_queries(system, alice, as_user):
    browser = as_user(alice)
    asked = factories.requirement(system, "si-2")
    counts = []
    for number in range(2):
        for part in range(1 + 4 * number):
            factories.make_evidence(
                asked, by=alice, performed_on=TODAY, title=f"Report {number}{part}"
            )
        with CaptureQueriesContext(connection) as queries:
            browser.get(url_of(system, "si-2"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_reason_of_its_reading_is_said(system, oscar, as_user):
    url = reverse("evidence:control", args=[system.slug, "pe-3"])
    page = as_user(oscar).get(url).content.decode()
    assert "Doors, guards and badges belong to whoever runs the building." in page


def test_reports_of_other_days_are_folded(system, oscar, olga, alice, as_user):
    """Of a report from years ago the page says that it is there, and no more."""
    artifact = factories.make_artifact(oscar, ["si-2"])
    old = factories.make_report(
        artifact, dt.date(2020, 1, 1), dt.date(2020, 12, 31), label="Of 2020"
    )
    new = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY, label="Of 2026")
    for report in (old, new):
        factories.rely_on(report, system, by=olga)
    answer = as_user(alice).get(url_of(system, "si-2"))
    assert [row.label for row in answer.context["aws_versions"]] == ["Of 2026"]
    assert [row.label for row in answer.context["other_versions"]] == ["Of 2020"]
    assert "1 report of other days" in answer.content.decode()
    then = {"window_from": "2020-06-01", "window_to": "2021-05-31"}
    answer = as_user(alice).get(url_of(system, "si-2"), then)
    assert "Of 2020" in [row.label for row in answer.context["aws_versions"]]


def test_layers_of_the_same_services_name_them_once(system, alice, as_user):
    answer = as_user(alice).get(url_of(system, "si-2"))
    for side in ("aws_duties", "our_duties"):
        services = [names for _, names in answer.context[side]]
        assert services
        assert len(services) == len(set(services))
