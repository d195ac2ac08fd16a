"""R10: after a change of services the message names what needs a person.

A component that brings what was absent voids *not applicable*; the message, the
control's page and its verdict say the same.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.applicability import decide_not_applicable, request_not_applicable
from evidence.status.control_status import control_statuses, moment_of
from tests import factories
from tests.evidence import house as houses
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def left_out(system, oscar, olga):
    """AC-11, left out by two officers: there are no staff devices."""
    control = factories.implementation(system, "ac-11")
    request = request_not_applicable(
        control,
        justification="There are no staff devices.",
        review_by=TODAY + dt.timedelta(days=365),
        by=oscar,
    )
    decide_not_applicable(request, approve=True, by=olga)
    return control


def add(browser, system, name, day=TODAY):
    """The text of the page after a component was taken into use by the form."""
    component = {
        "variant": factories.variant(name).pk,
        "used_from": str(day),
        "regions": "" if name == "staff-devices" else "us-east-1",
        "name": "",
    }
    url = reverse("evidence:component_add", args=[system.slug])
    page = browser.post(url, component, follow=True)
    assert page.status_code == 200, page.content.decode()
    return " ".join(page.content.decode().split())


def verdict(system, control, day):
    moment = moment_of(system, day, None)
    (answer,) = control_statuses(system, moment, pks=[control.pk])
    return answer.status.verdict


def test_message_page_and_verdict_agree(system, oscar, as_user, left_out):
    browser = as_user(oscar)
    later = TODAY + dt.timedelta(days=10)
    assert verdict(system, left_out, TODAY) == "not_applicable"

    page = add(browser, system, "staff-devices", later)

    assert "1 control is no longer left out as not applicable" in page
    assert f"AC-11 from {later}" in page
    assert verdict(system, left_out, TODAY) == "not_applicable"
    assert verdict(system, left_out, later) != "not_applicable"
    url = reverse("evidence:control", args=[system.slug, "ac-11"])
    shown = browser.get(url, {"on": str(later)})
    assert shown.context["answer"].status.verdict == verdict(system, left_out, later)


def test_what_voids_nothing_names_nothing(system, oscar, as_user, left_out):
    page = add(as_user(oscar), system, "kms")
    assert "no longer left out" not in page
    assert "Saved." in page


def test_what_was_void_before_is_not_named_again(system, oscar, as_user, left_out):
    browser = as_user(oscar)
    add(browser, system, "staff-devices")
    assert "no longer left out" not in add(browser, system, "kms")


def test_what_is_proven_no_more_is_named(client, settings):
    """R20, R23: a service in a region that no report speaks of takes the proof of the
    controls away that rest on reports, whatever their class; the message says so."""
    settings.MFA_REQUIRED = False
    house = houses.build()
    system = house.system
    system.components.update(regions=["eu-west-1"])
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    days = TODAY - dt.timedelta(days=200), TODAY - dt.timedelta(days=1)
    report = factories.make_report(artifact, *days, regions=["eu-west-1"])
    factories.rely_on(report, system, by=house.rita)
    control = factories.implementation(system, "pe-3")
    assert verdict(system, control, TODAY) == "proven"
    sign_in_just_now(client, house.olivia)
    page = add(client, system, "kms")
    assert verdict(system, control, TODAY) != "proven"
    assert "1 control is not proven any more: PE-3. Each says why" in page
