"""R32: whoever is about to ask for what a second officer decides is told beforehand
that there is none, and what the end of a role would leave."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from controls import clock
from controls.memberships import end_membership
from controls.models import EndRequest, Membership, ResponsibilityOverride
from controls.responsibility.overrides import ask_override, decide_override
from tests import factories
from tests.evidence import house as houses
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
BEFORE = "Nobody could decide on it: {} has no second officer."
AFTER = "Nobody can decide on it yet: {} has no second officer."


def page(browser: Any, url: str) -> str:
    return " ".join(unescape(browser.get(url).content.decode()).split())


def approved_override(system: Any, oscar: Any, olga: Any) -> ResponsibilityOverride:
    implementation = factories.implementation(system, "pe-3")
    override = ask_override(
        implementation,
        responsibility="shared",
        starts_on=TODAY,
        ends_on=TODAY + dt.timedelta(days=90),
        reason="Our own guards.",
        by=oscar,
        today=TODAY,
    )
    decide_override(override, approve=True, by=olga, today=TODAY)
    return override


@pytest.fixture(autouse=True)
def no_second_factor(settings) -> None:
    settings.MFA_REQUIRED = False


def test_it_is_said_before_and_after_asking(system, oscar, olga, as_user) -> None:
    override = approved_override(system, oscar, olga)
    role = Membership.objects.get(user=olga)
    slug = [system.slug]
    asked = factories.implementation(system, "si-2")
    requirement = factories.ask_for(asked, "Patched", operates_from=TODAY)
    pages = [
        reverse("evidence:control", args=[system.slug, "pe-3"]),
        reverse("evidence:components", args=slug),
        reverse("evidence:system_terms", args=slug),
        reverse("evidence:retention", args=slug),
        reverse("evidence:window_days", args=slug),
        reverse("evidence:requirement_edit", args=[system.slug, requirement.uuid]),
    ]
    browser, sentence = as_user(oscar), BEFORE.format(system)
    assert [url for url in pages if sentence in page(browser, url)] == []
    leaving = page(browser, reverse("evidence:role", args=[system.slug, role.uuid]))
    assert "No second officer: nobody can approve" in leaving

    end_membership(role, by=oscar, now=clock.now(), reason="Left.", version=1)
    assert [url for url in pages if sentence not in page(browser, url)] == []
    settle = reverse("evidence:override_settle", args=[override.uuid])
    answer = browser.post(settle, {"reason": "Moved."}, follow=True)
    assert AFTER.format(system) in unescape(answer.content.decode())
    assert EndRequest.objects.get().override == override


def test_the_end_of_a_readers_role_leaves_nobody_missing(
    system, oscar, olga, as_user
) -> None:
    ray = factories.make_user("ray")
    factories.give_role(ray, system, "reader")
    role = Membership.objects.get(user=ray)
    text = page(as_user(oscar), reverse("evidence:role", args=[system.slug, role.uuid]))
    assert "When this role ends" not in text


def test_a_removal_says_it_too(settings, tmp_path, as_user) -> None:
    """The only officer asks for a file's bytes to be destroyed."""
    settings.EVIDENCE_STORE = str(tmp_path)
    house = houses.build()
    link = factories.make_evidence(
        house.requirement(), by=house.alice, performed_on=TODAY
    )
    url = reverse("evidence:removal_new", args=[link.revision.files.get().uuid])
    assert BEFORE.format(house.system) in page(as_user(house.olivia), url)
    asked = as_user(house.olivia).post(url, {"reason": "A key."}, follow=True)
    assert AFTER.format(house.system) in unescape(asked.content.decode())
