"""Somebody signs in and sees where the systems stand, today or on another day."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from evidence.status.control_status import control_statuses, moment_of, summary
from evidence.status.many_systems import tallies
from evidence.views.dashboard import gaps_ahead
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


def test_signing_in_lands_an_officer_on_the_only_system(system, oscar, as_user):
    answer = as_user(oscar).get(reverse("controls:systems"))
    assert answer.url == reverse("evidence:dashboard", args=[system.slug])


def test_with_several_systems_it_lands_on_the_list(system, oscar, as_user):
    factories.make_system(oscar, slug="ledger")

    answer = as_user(oscar).get(reverse("controls:systems"), follow=True)

    page = answer.content.decode()
    assert "Payments" in page
    assert "Ledger" in page


def test_an_outsider_sees_no_system(system, mallory, as_user):
    browser = as_user(mallory)
    answer = browser.get(reverse("controls:systems"), follow=True)
    assert "Payments" not in answer.content.decode()
    url = reverse("evidence:dashboard", args=[system.slug])
    assert browser.get(url).status_code == 404


def test_the_list_asks_as_many_questions_for_three_systems_as_for_one(
    system, oscar, as_user
):
    browser = as_user(oscar)
    url = reverse("evidence:systems")
    with CaptureQueriesContext(
        connection,
    ) as for_one:
        browser.get(url)
    factories.make_system(oscar, slug="ledger")
    factories.make_system(oscar, slug="archive")
    with CaptureQueriesContext(connection) as for_three:
        assert browser.get(url).status_code == 200
    assert len(for_three) == len(for_one)


def test_the_list_counts_as_the_dashboard_does(system, oscar, olga, alice):
    other = factories.make_system(oscar, slug="ledger", services=["s3", "iam"])
    report = factories.make_report(
        factories.make_artifact(oscar, ["pe-3", "si-2"]),
        dt.date(2026, 1, 1),
        TODAY,
    )
    factories.rely_on(report, system, by=olga)
    now = clock.now()

    for tally in tallies([system, other], now):
        day = tally.system.day_of(now)
        counts = summary(
            control_statuses(tally.system, moment_of(tally.system, day, None))
        )
        assert tally.verdicts == counts.verdicts
        assert tally.classes == counts.classes


def test_it_shows_who_carries_what_and_what_aws_alone_proves(
    system, oscar, olga, as_user
):
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY)
    factories.rely_on(report, system, by=olga)

    page = as_user(oscar).get(reverse("evidence:dashboard", args=[system.slug]))

    text = page.content.decode()
    assert "Who carries the 14 controls" in text
    assert "only the providers' half" in text
    assert "SOC 2 Type II" in text
    assert page.context["counts"].aws_only == 1
    assert page.context["counts"].verdicts["proven"] == 1  # PE-3


def test_both_clocks_stand_in_the_header(system, oscar, as_user):
    url = reverse("evidence:dashboard", args=[system.slug])
    tomorrow = TODAY + dt.timedelta(days=1)

    page = as_user(oscar).get(url, {"on": "2026-03-31", "known_at": str(tomorrow)})

    clocks = page.context["clocks"]
    assert clocks.moment.on == dt.date(2026, 3, 31)
    assert clocks.moment.known_at is None  # that day has not ended: all is known
    assert "2026-03-31" in page.content.decode()


def test_a_time_before_the_system_is_said_to_be_so(system, oscar, as_user):
    url = reverse("evidence:dashboard", args=[system.slug])
    page = as_user(oscar).get(url, {"on": "2020-01-01", "known_at": "2020-01-01"})
    assert page.status_code == 200
    assert "was not recorded at that time" in page.content.decode()


def test_what_is_no_day_is_named(system, oscar, as_user):
    url = reverse("evidence:dashboard", args=[system.slug])
    page = as_user(oscar).get(url, {"known_at": "soon"})
    assert "“soon” is neither a day" in page.content.decode()


@pytest.mark.parametrize("who", ["alice", "rita", "audrey", "olga"])
def test_everybody_with_a_role_may_look(who, system, request, as_user):
    browser = as_user(request.getfixturevalue(who))
    url = reverse("evidence:dashboard", args=[system.slug])
    assert browser.get(url).status_code == 200
    assert browser.post(url).status_code in {403, 405}


def judged(label, until, half="proven"):
    """An answer whose own half stops counting after a day."""
    status = SimpleNamespace(
        customer_until=until, customer_half=half, aws_until=None, aws_half="missing"
    )
    return SimpleNamespace(
        status=status, implementation={"label": label, "ref_id": label.lower()}
    )


def test_halves_that_end_on_the_same_day_are_one_row():
    day = dt.date(2026, 11, 1)
    later, far = day + dt.timedelta(days=3), day + dt.timedelta(days=61)
    given = [judged(f"AC-{n}", later) for n in range(20)]
    given += [judged("SI-2", day), judged("SI-3", far), judged("SI-4", day, "lapsed")]
    today, then = gaps_ahead(given, day)
    assert (today.days_left, [row["label"] for row in today.controls]) == (0, ["SI-2"])
    assert (then.day, len(then.shown), then.more) == (later, 15, 5)
