"""A person sees why a control is not proven, and goes on from there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.urls import reverse

from evidence.status.reasons import MESSAGES, reason_for
from evidence.templatetags.states import layer, verb
from evidence.templatetags.steps import (
    AWS,
    PERFORMED,
    SECTIONS,
    WAITING,
    first_step,
    leads_to,
)
from tests import factories

pytestmark = pytest.mark.django_db


def test_what_was_never_performed_leads_to_its_upload(system, alice, as_user):
    asked = factories.requirement(system, "si-2")
    page = as_user(alice).get(reverse("evidence:control", args=[system.slug, "si-2"]))
    way = reverse("evidence:upload", args=[system.slug, asked.uuid])
    listed = page.content.decode().split('<ul class="steps">')[1].split("</ul>")[0]
    assert f'<a href="{way}">' in listed


def test_who_may_not_upload_is_led_to_what_is_asked(system, rita, as_user):
    asked = factories.requirement(system, "si-2")
    page = as_user(rita).get(reverse("evidence:control", args=[system.slug, "si-2"]))
    text = page.content.decode()
    assert f'href="#asked-{asked.uuid}"' in text
    assert f'id="asked-{asked.uuid}"' in text
    assert "/upload/" not in text


def test_a_step_on_another_page_goes_before_a_section_of_this_one(system, alice):
    """Only the providers' half is proven: what is overdue is brought first."""
    asked = factories.requirement(system, "si-2")
    facts = SimpleNamespace(uuid=str(asked.uuid), title=asked.title)
    rows = [SimpleNamespace(facts=facts)]
    overdue = reason_for("never_performed", asked.title)
    reasons = [reason_for("aws_only", ""), overdue]
    way = reverse("evidence:upload", args=[system.slug, asked.uuid])
    assert first_step(reasons, system, rows, [facts.uuid]) == (overdue, way)
    assert first_step(reasons[:1], system, rows) == (reasons[0], "#our-half")
    assert first_step([], system, rows) is None


def test_each_named_code_is_a_reason():
    assert (AWS | PERFORMED | WAITING | SECTIONS.keys()) <= MESSAGES.keys()


def test_nothing_to_do_leads_nowhere(system):
    assert leads_to(reason_for("collected_late", "Patch report"), system, []) == ""


def test_no_reason_is_shown_as_a_code(system, alice, as_user):
    page = as_user(alice).get(reverse("evidence:control", args=[system.slug, "si-2"]))
    assert "never_performed" not in page.content.decode()


@pytest.mark.parametrize("name", ["dashboard", "controls", "calendar", "components"])
def test_a_page_of_a_system_says_which_it_is(name, system, alice, as_user):
    url = reverse(f"evidence:{name}", args=[system.slug])
    text = as_user(alice).get(url).content.decode()
    tabs = text.split('aria-label="Of this system"')[1].split("</nav>")[0]
    assert f'href="{url}" aria-current="page"' in tabs
    assert tabs.count("aria-current") == 1


def test_codes_are_said_in_words():
    assert layer("guest-os, provided") == "Guest operating system, provided"
    assert layer("data-zoning") == "Data zoning"
    assert verb("responsibility.decided") == "Responsibility decided"
