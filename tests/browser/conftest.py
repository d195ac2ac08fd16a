"""A Chromium of the machine, signed in as whom the story needs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.sign_ins import sign_in_just_now

# Playwright's event loop runs in the thread that also asks the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "yes"
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all stories; skipped where there is none, but not in CI."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium.")
        pytest.skip("No Chromium on this machine.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def complains(said: ConsoleMessage) -> bool:
    """An error, but not that a request of ours was refused as it should be."""
    refusal = re.search(r"responded with a status of (400|409|413|422)", said.text)
    return said.type == "error" and refusal is None


@pytest.fixture
def page(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """A new window; complaints of the browser (CSP, scripts) fail the test."""
    context = chromium.new_context(base_url=live_server.url)
    opened, complaints = context.new_page(), []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda said: complaints.append(said.text) if complains(said) else None,
    )
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture
def page_of(page: Page, live_server: Any) -> Callable[[Any], Page]:
    """`page_of(user)` is a window in which that user has signed in."""

    def signed_in(user: Any) -> Page:
        client = sign_in_just_now(Client(), user)
        name = settings.SESSION_COOKIE_NAME
        value = client.cookies[name].value
        page.context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url}]
        )
        return page

    return signed_in
