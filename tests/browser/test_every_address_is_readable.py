"""Every page of every address: all that axe knows, in both themes, and narrow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.access import world as worlds
from tests.access.walking import pages_of_table
from tests.browser.test_read_every_page import obstacles_in_both_themes


@pytest.fixture
def world(transactional_db: Any, settings: Any, tmp_path: Any) -> worlds.World:
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


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
    addresses = {view: path for view, path, _ in pages_of_table(world, name)}
    page = page_of(world.house.people[name])
    problems = {
        view: faults
        for view, path in addresses.items()
        if (faults := faults_of(page, path))
    }
    assert problems == {}
