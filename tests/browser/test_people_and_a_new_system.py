"""An officer adds a system, brings people and finds the menu, at 1280 and at 320 px."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core import mail

from controls.models import Membership, System
from tests import factories
from tests.browser.test_read_every_page import obstacles
from tests.factories import PASSWORD
from tests.one_day import TODAY
from tests.waiting_mails import send_waiting_mails

WIDTHS = (1280, 320)


@pytest.fixture(autouse=True)
def store(settings, tmp_path: Path):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


def looked_at(page, width: int) -> None:
    """The page is readable and nothing of it lies beyond its edge."""
    assert page.locator("h1").count() == 1
    assert obstacles(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.mark.parametrize("width", WIDTHS)
def test_a_system_is_added_with_what_each_service_means(live_server, page_of, width):
    page = page_of(factories.make_user("nora", is_superuser=True))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/systems/new/")
    looked_at(page, width)
    page.fill("[name=name]", "Card vault")
    page.select_option("[name=regime]", "soc2")
    page.select_option("[name=impact_level]", "moderate")
    page.wait_for_selector("#counted >> text=NIST MODERATE")
    page.fill("[name=new_team]", "Shop floor")
    page.fill("#id_q", "lambda")
    page.wait_for_selector("[name=use_ec2]", state="detached")
    assert not page.is_visible("[name=variant_lambda]")
    page.check("[name=use_lambda]")
    assert page.is_visible("[name=variant_lambda]")
    page.wait_for_selector("#counted >> text=With 1 service")
    page.fill("#id_q", "")
    page.wait_for_selector("[name=use_ec2]")
    assert page.is_checked("[name=use_lambda]")
    page.check("[name=use_ec2]")
    page.wait_for_selector("#counted >> text=Amazon EC2 turns")
    top = page.locator("li:has([name=use_ec2])").bounding_box()
    below = page.locator("li:has([name=use_ec2]) + li").bounding_box()
    assert top and below
    assert below["y"] >= top["y"] + top["height"]  # one service a line
    means = page.locator("#id_use_ec2_means").bounding_box()
    assert means
    assert means["width"] >= (300 if width == 1280 else 150)  # not a word a line
    looked_at(page, width)
    page.click("text=Add the system")
    page.wait_for_url("**/systems/card-vault/first-steps/")
    looked_at(page, width)
    system = System.objects.get()
    assert system.components.count() == 2
    assert system.baseline.slug == "nist-moderate"  # nobody had to choose it
    page.click("text=Invite people")
    assert "No second officer: nobody can approve" in page.inner_text("main")
    looked_at(page, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_somebody_is_invited_accepts_and_leaves(
    system, oscar, alice, page_of, mailoutbox, width
):
    page = page_of(oscar)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/systems/{system.slug}/people/")
    looked_at(page, width)
    page.fill("[name=address]", "dan@example.com")
    page.select_option("[name=role]", "reviewer")
    page.click("text=Send the invitation")
    page.wait_for_selector("text=An invitation is on its way to dan@example.com")
    looked_at(page, width)
    send_waiting_mails()
    found = re.search(r"https?://[^/]+(/accounts/invitations/\S+)", mail.outbox[0].body)
    assert found
    page.context.clear_cookies()
    page.goto(found[1])
    looked_at(page, width)
    page.fill("[name=name]", "Dan Data")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("text=Set the password and accept")
    page.wait_for_selector("text=Sign in with dan@example.com")
    page = page_of(oscar)
    page.goto(f"/systems/{system.slug}/people/")
    assert "Dan Data" in page.inner_text("main")
    held = Membership.objects.get(user=alice)
    page.goto(f"/systems/{system.slug}/people/{held.uuid}/")
    looked_at(page, width)
    page.fill("#days_last_day", str(TODAY))
    page.click("text=Save the days")
    page.wait_for_selector("text=Hand over below")
    page.select_option("[name=to]", label="Dan Data")
    page.click("text=Show what will happen")
    page.wait_for_selector("text=Dan Data becomes contributor of Platform")
    looked_at(page, width)
    page.click("text=Hand over to Dan Data")
    page.wait_for_selector("text=is contributor of Platform from today on")
    assert Membership.objects.filter(user__name="Dan Data").count() == 2


def test_at_320_px_the_menus_show_that_there_is_more(system, oscar, page_of):
    page = page_of(oscar)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"/systems/{system.slug}/")
    work = page.locator("nav[aria-label=Main] a", has_text="My work")
    assert not work.is_visible()
    page.click("button:has-text('Menu')")
    assert work.is_visible()
    assert page.locator("text=Sign out").is_visible()
    looked_at(page, 320)
    page.keyboard.press("Escape")
    assert not work.is_visible()
    page.click(".tabs-button")
    people = page.locator(".tabs a", has_text="People")
    assert people.is_visible()
    people.click()
    page.wait_for_url("**/people/")
    assert page.inner_text(".tabs-button").startswith("Payments: People")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.locator("nav[aria-label=Main] a", has_text="My work").is_visible()
    assert not page.locator("button:has-text('Menu')").is_visible()
