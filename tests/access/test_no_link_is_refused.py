"""Whoever is shown a link may follow it: no page leads to a refusal (AC-01)."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.urls import resolve

from tests.access import world as worlds
from tests.access.walking import browser_of

STARTS = ("/systems/", "/work/", "/calendar/", "/notices/", "/artifacts/")
# Bytes, and pages of others that are tried in tests of their own.
APART = re.compile(r"^/(admin|accounts|api|static|files|exports)/|\.csv$")
MAX_OF_A_VIEW = 4  # addresses of one view that are followed


class Links(HTMLParser):
    """The addresses of a page's links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a link leads to."""
        href = dict(attrs).get("href")
        if tag == "a" and href and href.startswith("/") and not APART.search(href):
            self.found.append(href.split("#")[0])


@pytest.fixture
def world(db, settings, tmp_path):
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


@pytest.mark.parametrize("name", ["alice", "bob", "rita", "ray", "olivia", "audrey"])
def test_every_link_that_a_person_is_shown_opens(world, name: str) -> None:
    browser = browser_of(world, name)
    waiting = [(start, "") for start in STARTS]
    followed: dict[str, int] = {}
    seen, refused = set(), []
    while waiting:
        address, page = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        view = resolve(address.split("?")[0]).view_name
        followed[view] = followed.get(view, 0) + 1
        if followed[view] > MAX_OF_A_VIEW:
            continue
        answer = browser.get(address, follow=True)
        if answer.streaming:
            b"".join(answer.streaming_content)  # a file is closed once it was read
        if answer.status_code >= 400:
            refused.append((answer.status_code, address, page))
        elif "text/html" in answer.get("Content-Type", "") and not answer.streaming:
            links = Links(answer.content.decode()).found
            waiting += [(link, address) for link in links]
    assert refused == []
    assert len(seen) > 20
