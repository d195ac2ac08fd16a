"""Where the parts of a control differ in class, each says its own and why (R5)."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from typing import Any

import pytest
from django.urls import reverse

from controls.control_parts import Part
from controls.models import Control, ControlLayer, ReferenceVersion
from controls.models.catalog import Origin
from controls.reference.control_texts import import_texts
from controls.responsibility.decide import redecide
from controls.responsibility.part_classes import LayerReading, classes_of_parts
from tests.oscal_catalog import as_bytes, catalog

A, B, B1 = "x-1_smt.a", "x-1_smt.b", "x-1_smt.b.1"
PARTS = [
    Part(A, "a", True, True),
    Part(B, "b", False, True),
    Part(B1, "b.1", True, False),
]


def row(layer: str, party: str) -> dict[str, str]:
    return {"layer": layer, "party": party}


BASIS = [row("facilities", "aws"), row("programme", "customer"), row("guest-os", "aws")]


def classes(*readings: tuple[str, str]) -> dict[str, str]:
    lines = [LayerReading(part, layer, f"Why {layer}.") for part, layer in readings]
    shown = classes_of_parts(PARTS, lines, BASIS)
    return {one.label: one.responsibility for one in shown.values()}


def test_r5_what_is_not_said_for_a_part_comes_from_above_it() -> None:
    own = [(A, "programme"), (B, "facilities"), ("", "guest-os")]
    assert classes(*own) == {"a": "customer", "b.1": "inherited"}
    assert classes((A, "programme"), ("", "guest-os"), ("", "facilities")) == {
        "a": "customer",
        "b.1": "inherited",
    }
    unread = (A, "programme"), (A, "facilities"), (A, "guest-os")
    assert (
        classes(*unread) == {}
    )  # b is what the control is: the same, so none is shown


def test_parts_of_one_class_or_of_readings_changed_since_are_not_told_apart() -> None:
    assert classes(("", "facilities"), ("", "programme"), ("", "guest-os")) == {}
    assert (
        classes((A, "programme"), (B, "facilities")) == {}
    )  # guest-os is read nowhere


@pytest.mark.django_db
def test_r5_the_page_shows_a_class_and_a_reason_beside_each_part(
    system: Any, oscar: Any, as_user: Any
) -> None:
    control = Control.objects.get(ref_id="ac-2", catalog__baselines=system.baseline)
    browser = as_user(oscar)
    path = reverse("evidence:control", args=[system.slug, "ac-2"])
    assert "part-class" not in browser.get(path).content.decode()
    readings = [
        ("ac-2_smt.a", "programme", "Kinds of account are our own rule."),
        ("", "host-os", "Accounts on hosts are AWS's."),
    ]
    for statement_id, layer, reason in readings:
        ControlLayer.objects.create(
            control=control,
            reference_version=ReferenceVersion.objects.latest("pk"),
            statement_id=statement_id,
            layer=layer,
            reason=reason,
            origin=Origin.LOCAL,
        )
    redecide(system, by=oscar, reason="Read part by part", before=None)
    assert lines_of(browser, path)[:2] == [
        ("a", "customer Kinds of account are our own rule."),
        ("b", "inherited Accounts on hosts are AWS's."),
    ]
    page = browser.get(path).content.decode()
    assert control.summary in unescape(page)  # our sentence stands for the text
    import_texts(BytesIO(as_bytes(catalog())), source="catalog.json", by=None)
    with_text = dict(lines_of(browser, path))
    assert re.match(r".+customer Kinds of account are our own rule\.$", with_text["a."])
    assert "inherited" not in with_text["a."]


def lines_of(browser: Any, path: str) -> list[tuple[str, str]]:
    """Label and words of each part on the page of a control."""
    page = browser.get(path).content.decode()
    terms = re.findall(
        r"<dt[^>]*>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", parts_in(page), re.S
    )
    return [(words_of(label), words_of(text)) for label, text in terms]


def parts_in(page: str) -> str:
    return page.partition('<dl class="parts">')[2].partition("</dl>")[0]


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
