"""A control is read on a wide and a narrow screen, by keyboard, and on paper.

The official text is made up (`tests/oscal_catalog.py`).
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from controls.reference.control_texts import import_texts
from tests.browser.test_read_every_page import obstacles
from tests.evidence import house as houses
from tests.oscal_catalog import as_bytes, catalog

CONTROL = "/systems/shop/controls/ac-1/"


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    import_texts(BytesIO(as_bytes(catalog())), source="c.json", by=built.olivia)
    return built


def test_find_read_go_on_and_print(house, page_of) -> None:
    """By keys from the search to the control, to its text, and to the next control."""
    window = page_of(house.olivia)
    window.goto("/systems/")
    window.focus("#find")
    window.keyboard.type("ac-01")
    window.keyboard.press("Enter")
    window.wait_for_selector("text=1 match")
    assert obstacles(window) == []
    window.click("main a:has-text('AC-1')")

    window.wait_for_selector("text=On this page")
    assert not window.is_visible("text=Words about AC-1")
    window.click("text=Official text, part by part")
    assert window.is_visible(".parameter-open >> text=[whoever reads it]")
    assert obstacles(window) == []
    for width in (1280, 320):
        window.set_viewport_size({"width": width, "height": 900})
        wide = window.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    window.click(".toc >> text=History")
    assert window.url.endswith("#history")
    window.click("a[rel=next]")
    window.wait_for_selector("h1:has-text('CM-8')")
    assert window.is_visible("text=2 of 4")


def test_paper_shows_what_a_screen_folds(house, page_of) -> None:
    window = page_of(house.ray)
    window.goto(CONTROL)
    folded = window.locator(".words details p").first
    assert not folded.is_visible()
    window.emulate_media(media="print")
    assert folded.is_visible()
    assert not window.is_visible(".toc")
    assert not window.is_visible("#find")


BEYOND = """[...document.querySelectorAll("main *")].filter(
    element => element.getBoundingClientRect().right > window.innerWidth
).map(element => element.outerHTML.slice(0, 80))"""


def test_paper_loses_no_column(house, page_of) -> None:
    """A4 between its margins: digests and states of the evidence included."""
    houses.submitted(house, "one").accept(by=house.rita)
    window = page_of(house.ray)
    window.set_viewport_size({"width": 770, "height": 1000})
    window.emulate_media(media="print")
    window.goto("/systems/shop/controls/cm-8/")
    assert window.is_visible("th:has-text('Performed')")
    assert window.is_visible(".said:has-text('accepted by')")
    assert window.evaluate(BEYOND) == []


def test_an_officer_imports_the_text_on_a_narrow_screen(house, page_of) -> None:
    window = page_of(house.olivia)
    window.set_viewport_size({"width": 320, "height": 700})
    window.goto("/systems/")
    window.click("text=Official text of the controls")
    content = as_bytes(catalog("5.2.1", "Other words about {label}"))
    file = {"name": "other.json", "mimeType": "application/json", "buffer": content}
    window.set_input_files("input[type=file]", file)
    window.click("text=Import the file")
    window.wait_for_selector("text=is imported (edition 5.2.1)")
    assert obstacles(window) == []
    assert window.evaluate("document.documentElement.scrollWidth") <= 320
