"""R7, R31: on which days a component was in use, and who may say so afterwards."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.history.clock import knowledge_now
from controls.models import (
    ResponsibilityDecision,
    RetrospectiveChange,
    SystemComponent,
)
from evidence.models import RequirementControl
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.factories import END, START, variant
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date
JUNE = D(2026, 6, 30)
API = "application/json"


def answer(system, ref_id, on, known_at=None):
    pk = factories.implementation(system, ref_id).pk
    window = (START, END)
    return control_statuses(system, Moment(on, known_at), pks=[pk], window=window)[0]


def ec2_of(system) -> SystemComponent:
    return system.components.get(variant__service__slug="ec2")


def end_on_the_page(browser, system, **said):
    component = ec2_of(system)
    url = reverse("evidence:component_end", args=[system.slug, component.uuid])
    body = {"last_day": str(JUNE), "version": component.version} | said
    return browser.post(url, body, follow=True)


def decide(browser, change, decision="approve"):
    url = reverse("evidence:retrospective_decide", args=[change.uuid])
    return browser.post(url, {"decision": decision, "version": 1}, follow=True)


def test_ending_ec2_today_as_of_june_needs_a_second_officer(
    system, oscar, olga, as_user
):
    """R31, scenario 9: nothing holds until it is approved, and is known from then."""
    page = end_on_the_page(as_user(oscar), system).content.decode()
    assert "Say why the past is to be changed" in page
    assert not RetrospectiveChange.objects.exists()

    page = end_on_the_page(as_user(oscar), system, reason="It was shut down then.")

    change = RetrospectiveChange.objects.get()
    assert (change.kind, change.first_day) == ("component", D(2026, 7, 1))
    assert "In use from 2026-01-01 to 2026-06-30" in page.content.decode()
    assert ec2_of(system).used_until is None
    before = knowledge_now()
    assert decide(as_user(oscar), change).status_code == 403

    decide(as_user(olga), change)

    assert ec2_of(system).used_until == D(2026, 7, 1)
    assert ec2_of(system).change == change
    assert answer(system, "ma-4", JUNE).facts.responsibility == "shared"
    assert answer(system, "ma-4", D(2026, 7, 1)).facts.responsibility == "inherited"
    then = answer(system, "ma-4", D(2026, 7, 1), before)
    assert then.facts.responsibility == "shared"
    written = ResponsibilityDecision.objects.filter(change=change)
    assert written.exists()
    assert {row.effective.lower for row in written} == {D(2026, 7, 1)}


def test_the_days_before_the_change_keep_their_decisions(system, oscar, olga, as_user):
    """R7: guest patches, January to June: six expected of a yearful of months."""
    ma_4 = factories.implementation(system, "ma-4")
    RequirementControl.objects.filter(implementation=ma_4).delete()
    factories.ask_for(
        ma_4, "Guest sessions", cadence="monthly", grace_days=5, operates_from=START
    )
    end_on_the_page(as_user(oscar), system, reason="It was shut down then.")
    decide(as_user(olga), RetrospectiveChange.objects.get())

    period = answer(system, "ma-4", TODAY).period
    assert period.occurrences.expected == 6
    waived = [r for r in period.occurrences.results if r.outcome == "waived"]
    assert [row.ends for row in waived] == [
        D(2026, month, last) for month, last in ((7, 31), (8, 31), (9, 30), (10, 31))
    ]


def test_outposts_from_july_are_six_months(system, oscar):
    """R7, R14: a half required from 1 July on is expected from July on; the first
    statement of a component may name an earlier day, by one officer."""
    pe_3 = factories.implementation(system, "pe-3")
    assert pe_3.responsibility == "inherited"
    use = Use(variant("outposts"), D(2026, 7, 1), regions=["us-east-1"])
    add_component(system, use, by=oscar, today=TODAY)
    pe_3.refresh_from_db()
    assert pe_3.responsibility == "shared"
    RequirementControl.objects.filter(implementation=pe_3).delete()
    factories.ask_for(
        pe_3, "Cage review", cadence="monthly", grace_days=5, operates_from=START
    )
    period = answer(system, "pe-3", TODAY).period
    assert period.occurrences.expected == 6
    assert answer(system, "pe-3", JUNE).facts.responsibility == "inherited"


@pytest.mark.parametrize(
    ("used_from", "status"), [("2025-12-31", 400), ("2026-01-01", 201)]
)
def test_the_first_statement_is_not_before_the_systems_first_day(
    used_from, status, system, oscar, as_user
):
    """R31, over the API."""
    url = reverse("component-list", args=[system.slug])
    said = {"service": "rds", "used_from": used_from, "regions": ["us-east-1"]}
    answered = as_user(oscar).post(url, said, content_type=API)
    assert answered.status_code == status, answered.content
    if status == 400:
        assert "first day is 2026-01-01" in answered.content.decode()


def test_a_component_that_was_there_before_returns_by_two_officers(
    system, oscar, olga, as_user
):
    """R31: EC2 to June, then again from August, said in November."""
    end_on_the_page(as_user(oscar), system, reason="It was shut down then.")
    decide(as_user(olga), RetrospectiveChange.objects.get())
    url = reverse("component-list", args=[system.slug])
    said = {"service": "ec2", "used_from": "2026-08-01", "regions": ["us-east-1"]}
    bare = as_user(oscar).post(url, said, content_type=API)
    assert bare.status_code == 400

    why = {"reason": "It was started again."}
    asked = as_user(oscar).post(url, said | why, content_type=API)

    assert asked.status_code == 202, asked.content
    assert asked.json()["says"][1]["text"] == "In use from 2026-08-01 on"
    path = reverse("retrospective-change-approve", args=[asked.json()["uuid"]])
    tag = {"If-Match": asked["ETag"]}
    assert as_user(olga).post(path, content_type=API).status_code == 428
    approved = as_user(olga).post(path, content_type=API, headers=tag)
    assert approved.json()["state"] == "approved"
    days = system.components.filter(variant__service__slug="ec2").order_by("used_from")
    assert [(row.used_from, row.used_until) for row in days] == [
        (START, D(2026, 7, 1)),
        (D(2026, 8, 1), None),
    ]


def test_what_was_never_in_use_is_taken_back_by_two_officers(
    system, oscar, olga, as_user
):
    """R31: deleting a past use alters its days."""
    component = ec2_of(system)
    url = reverse("evidence:component_days", args=[system.slug, component.uuid])
    why = {"never": "on", "reason": "It is another system's.", "version": 1}
    as_user(oscar).post(url, why)
    change = RetrospectiveChange.objects.get()
    assert change.first_day == START
    decide(as_user(olga), change, "refuse")
    assert ec2_of(system) == component
    as_user(oscar).post(url, why)
    page = decide(as_user(olga), RetrospectiveChange.objects.latest("pk"))

    assert "Never in use" in page.content.decode()
    assert not system.components.filter(variant__service__slug="ec2").exists()
    assert answer(system, "ma-4", JUNE).facts.responsibility == "inherited"


def test_of_two_changes_that_wait_the_second_is_looked_at_again(
    system, oscar, olga, as_user
):
    """R31, R32: who approves it was shown days that are others by now."""
    for last_day in (JUNE, D(2026, 8, 31)):
        end_on_the_page(
            as_user(oscar), system, reason="It was shut down.", last_day=str(last_day)
        )
    first, second = RetrospectiveChange.objects.order_by("-pk")
    decide(as_user(olga), first)
    assert ec2_of(system).used_until == D(2026, 9, 1)
    page = decide(as_user(olga), second).content.decode()
    assert "Its days were changed since this was requested." in page
    second.refresh_from_db()
    assert (second.state, ec2_of(system).used_until) == ("requested", D(2026, 9, 1))


def test_the_same_is_asked_once(system, oscar, as_user):
    end_on_the_page(as_user(oscar), system, reason="It was shut down then.")
    page = end_on_the_page(as_user(oscar), system, reason="Again.").content.decode()
    assert "has already asked for this" in page
    assert RetrospectiveChange.objects.count() == 1


@pytest.mark.parametrize("who", ["alice", "rita", "audrey"])
def test_others_read_the_list_and_ask_for_nothing(who, system, oscar, request, as_user):
    """R32, and everybody of the system may read what is asked of its past."""
    end_on_the_page(as_user(oscar), system, reason="It was shut down then.")
    change = RetrospectiveChange.objects.get()
    browser = as_user(request.getfixturevalue(who))
    listed = browser.get(reverse("evidence:retrospectives", args=[system.slug]))
    assert "In use from 2026-01-01 to 2026-06-30" in listed.content.decode()
    assert decide(browser, change).status_code == 403
    assert end_on_the_page(browser, system, reason="Mine.").status_code == 403
