"""RE-03: somebody asks for evidence, goes back, and presses the button once more.

The browser fetches the page anew, since nothing of it may be stored; the form is known
as the one that was sent. Without the script its words are known, and it is asked.
"""

from __future__ import annotations

import pytest
from django.urls import reverse

from evidence.models import EvidenceRequest


@pytest.fixture
def asking(system, oscar, alice, page_of):
    """The page on which an officer asks for evidence, filled in."""
    return fill_in(page_of(oscar), system)


def fill_in(page, system):
    page.goto(reverse("evidence:request_new", args=[system.slug]))
    page.fill("[name=title]", "Who may open the vault?")
    page.fill("[name=control_ids]", "AC-2")
    page.select_option("[name=team]", index=1)
    page.fill("[name=due_on]", "2026-12-15")
    return page


def send(page):
    with page.expect_navigation():
        page.locator("main form button:not(.secondary)").last.click()


def test_the_same_form_makes_nothing_more(asking):
    send(asking)
    made = asking.url
    asking.go_back()
    asking.wait_for_load_state("load")
    assert asking.input_value("[name=title]") == "Who may open the vault?"
    send(asking)
    assert asking.url == made
    assert "This was submitted before" in asking.inner_text("main")
    assert EvidenceRequest.objects.count() == 1


def test_a_page_that_is_opened_or_loaded_again_holds_another_form(asking, system):
    send(asking)
    token = "document.querySelector('[name=form_token]').value"
    tokens = set()
    for _ in range(2):
        asking.goto(reverse("evidence:request_new", args=[system.slug]))
        tokens.add(asking.evaluate(token))
    asking.reload()
    tokens.add(asking.evaluate(token))
    assert len(tokens) == 3


def test_without_the_script_the_same_words_ask_first(
    chromium, live_server, system, oscar, alice, page_of
):
    """Three acts lead to what was made; one more makes another on purpose."""
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(page_of(oscar).context.cookies())
    page = fill_in(context.new_page(), system)
    send(page)
    made = page.url
    page.go_back()
    page.wait_for_load_state("load")
    if not page.input_value("[name=title]"):  # a browser that restores nothing
        fill_in(page, system)
    send(page)
    assert "You submitted the same some minutes ago" in page.inner_text("main")
    page.click("text=See what it made")
    assert page.url == made
    assert EvidenceRequest.objects.count() == 1
    send(fill_in(page, system))
    page.click("text=Submit as another")
    assert EvidenceRequest.objects.count() == 2
    context.close()
