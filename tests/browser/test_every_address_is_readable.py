"""Every page of every address: all that axe knows, in both themes, and narrow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors, said_in_table
from tests.browser.test_read_every_page import obstacles_in_both_themes

# Served as they are to other programs, or a page that is not ours.
NOT_OURS = {"api_docs", "evidence:preview_page"}


@pytest.fixture
def world(transactional_db: Any, settings: Any, tmp_path: Any) -> worlds.World:
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def pages_for(world: worlds.World, name: str) -> dict[str, str]:
    """View and address of what this person opens as a page."""
    table, browser = said_in_table(name), browser_of(world, name)
    pages = {}
    for door in doors():
        if table.get(("GET", door.view)) != 200 or door.api or door.view in NOT_OURS:
            continue
        answer = browser.get(address(door, world))
        if answer.get("Content-Type", "").startswith("text/html"):
            pages[door.view] = address(door, world)
        answer.close()
    return pages


def faults_of(page: Any, path: str) -> list[str]:
    """What keeps somebody from reading this page."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(path)
    faults: list[str] = obstacles_in_both_themes(page)
    if page.locator("h1").count() != 1:
        faults.append("not one h1")
    page.set_viewport_size({"width": 320, "height": 800})
    if page.evaluate("document.documentElement.scrollWidth") > 320:
        faults.append("scrolls sideways at 320 px")
    return faults


@pytest.mark.slow
@pytest.mark.parametrize("name", ["olivia", "alice", "audrey"])
def test_every_page_is_readable(world, name, page_of) -> None:
    pages = pages_for(world, name)
    page = page_of(world.house.people[name])
    problems = {
        view: faults
        for view, path in pages.items()
        if (faults := faults_of(page, path))
    }
    assert problems == {}
