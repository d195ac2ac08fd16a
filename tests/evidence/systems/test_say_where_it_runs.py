"""Regions that nobody has said are one item of work, said in one act (R20, R31)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.models import AuditEvent, SystemComponent
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
FIRST = dt.date(2026, 6, 1)


@pytest.fixture
def unsaid(system, oscar, olga):
    """As an upgrade leaves it: services without regions, and a report of all."""
    SystemComponent.objects.filter(system=system).update(
        regions=[], used_from=dt.date(2025, 1, 1)
    )
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    report = factories.make_report(artifact, dt.date(2025, 12, 1), TODAY)
    factories.rely_on(report, system, by=olga)
    return system


def half(system, on):
    pk = factories.implementation(system, "pe-3").pk
    (answer,) = control_statuses(system, Moment(on), pks=[pk])
    return answer.status.aws_half, {reason.code for reason in answer.status.reasons}


def named(system):
    rows = SystemComponent.objects.filter(system=system, regions=[])
    return list(rows.filter(variant__service__is_global=False).order_by("pk"))


def test_an_officer_says_all_of_it_in_one_act(unsaid, oscar, as_user, alice):
    """R20: one row of My work, one form, from one day on; before it nothing is said."""
    browser = as_user(oscar)
    address = reverse("evidence:regions", args=[unsaid.slug])
    assert half(unsaid, TODAY)[1] >= {"region_unknown"}
    for page in ("work", "components", "dashboard"):
        args = [] if page == "work" else [unsaid.slug]
        assert address in browser.get(reverse(f"evidence:{page}", args=args)).text
    assert address not in as_user(alice).get(reverse("evidence:work")).text
    browser = as_user(oscar)
    body = {f"regions-{row.uuid}": "us-east-1" for row in named(unsaid)}
    answer = browser.post(address, body | {"first_day": FIRST})
    assert answer.status_code == 302, answer.text
    assert half(unsaid, TODAY) == ("proven", set())
    assert half(unsaid, FIRST)[0] == "proven"
    assert "region_unknown" in half(unsaid, FIRST - dt.timedelta(days=1))[1]
    event = AuditEvent.objects.get(verb="component.regions-stated")
    assert event.actor_id == oscar.pk
    # What was before is in the window still, so it is asked from an earlier day.
    browser.post(
        address,
        {f"regions-{row.uuid}": "us-east-1" for row in named(unsaid)}
        | {"first_day": dt.date(2025, 1, 1)},
    )
    assert address not in browser.get(reverse("evidence:work")).text
    assert half(unsaid, FIRST - dt.timedelta(days=1))[0] == "proven"


def test_what_cannot_be_is_refused(unsaid, oscar, as_user):
    """R20: a region of another partition, of nobody's, or said twice."""
    browser = as_user(oscar)
    address = reverse("evidence:regions", args=[unsaid.slug])
    (row, *_) = named(unsaid)
    field = f"regions-{row.uuid}"
    for body, sentence in (
        ({field: "us-gov-west-1"}, "Region us-gov-west-1 is not in"),
        ({field: ""}, "Say the region of at least one component."),
        ({field: "Frankfurt"}, "is not a region code"),
    ):
        answer = browser.post(address, body | {"first_day": FIRST})
        assert answer.status_code == 422
        assert sentence in answer.text
    assert not AuditEvent.objects.filter(verb="component.regions-stated").exists()


def test_the_api_says_the_same(unsaid, oscar, alice, client):
    """R20: for officers alone; said twice it is a conflict."""
    address = reverse("component-regions", args=[unsaid.slug])
    (row, *_) = named(unsaid)
    body = {
        "first_day": "2025-01-01",
        "components": [{"component": str(row.uuid), "regions": ["us-east-1"]}],
    }
    client.force_login(alice)
    assert client.post(address, body, "application/json").status_code == 403
    client.force_login(oscar)
    answer = client.post(address, body, "application/json")
    assert answer.status_code == 200, answer.content
    assert answer.json()[0]["regions"] == ["us-east-1"]
    assert client.post(address, body, "application/json").status_code == 409
