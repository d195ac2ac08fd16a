"""An officer and an auditor work by the keyboard alone: what is wrong, and what was
done, is where the focus is, and from there the next key leads on into the page.

Counted are the acts: a key that presses something, a field that is filled in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from evidence.models import EvidenceRequest
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from tests.evidence import per_event
from tests.evidence.engagements.test_test_a_sample import made_population

FOCUS = "document.activeElement.className"
OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


def at(page: Any, name: str) -> None:
    """Tab to a field by its name, every stop on the way in sight."""
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINE) != "none", page.evaluate("document.activeElement")
        if page.evaluate("document.activeElement.name") == name:
            return
    pytest.fail(f"No stop at {name}.")


def test_a_request_that_is_wrong_and_then_right(system, oscar, alice, page_of) -> None:
    page = page_of(oscar)
    page.goto(reverse("evidence:request_new", args=[system.slug]))
    page.evaluate("document.forms[document.forms.length - 1].noValidate = true")
    at(page, "title")
    page.keyboard.type("Who may open the vault?")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "error-summary"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the summary leads to the field
    assert page.evaluate("document.activeElement.name") == "control_ids"
    page.keyboard.type("AC-2")
    page.select_option("[name=team]", index=1)
    page.fill("[name=due_on]", "2026-12-15")
    page.focus("[name=title]")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert EvidenceRequest.objects.count() == 1
    assert page.evaluate(FOCUS) == "done"


def test_all_events_of_a_sample_in_one_more_act_than_events(
    page_of, settings, tmp_path: Path
) -> None:
    """Two events: a choice each, and one button."""
    house = per_event.build(settings, tmp_path)
    audit = house.system.engagements.get()
    population = made_population(house, per_event.made_per_event(house))
    sample = draw_sample(
        population, SelectionMethod("all"), reason="Few.", by=house.audrey
    )
    page = page_of(house.audrey)
    page.goto(reverse("evidence:audit_sample", args=[audit.uuid, sample.uuid]))
    acts = 0
    for item in sample.items.order_by("pk"):
        at(page, f"result-{item.uuid}")
        page.keyboard.press("ArrowDown")
        acts += 1
    page.get_by_role("button", name="Save all results").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    acts += 1
    assert page.evaluate(FOCUS) == "done"
    assert audit.tested_items.count() == sample.items.count() == acts - 1
