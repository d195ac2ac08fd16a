"""R28: an auditor's firm names the scope by the regime's own numbers; each stands for
the controls that answer to it by the crosswalk, and is shown with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from controls.crosswalks.adopt import adopt
from controls.crosswalks.rows import read_crosswalk
from controls.engagement_scope import scope_of_engagement
from controls.errors import Refused
from controls.models import Engagement
from evidence.engagements.scope_list import read_scope
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
NUMBERS = b"Control,Number\nCM-8,CC6.1\nSI-2,CC6.1\nSI-2,8.3.1\nAC-1,8.3.2\nAC-1,8.30\n"


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    adopt(
        built.system,
        read_crosswalk(SimpleUploadedFile("n.csv", NUMBERS), "n.csv"),
        title="Numbers",
        starts_on=TODAY,
        by=built.olivia,
        today=TODAY,
    )
    return built


@pytest.fixture
def audit(house: House) -> Engagement:
    return factories.make_engagement(house.system)


@pytest.mark.parametrize(
    ("typed", "controls", "numbers"),
    [
        ("CC6.1", {"cm-8", "si-2"}, {"CC6.1": ("cm-8", "si-2")}),
        ("cc6.1; AC-1", {"ac-1", "cm-8", "si-2"}, {"CC6.1": ("cm-8", "si-2")}),
        ("PCI 8.3", {"ac-1", "si-2"}, {"8.3": ("si-2", "ac-1")}),
        ("PCI DSS 8.3.2\nSOC 2 CC6.1", {"ac-1", "cm-8", "si-2"}, None),
        ("AC-1, AC-1", {"ac-1"}, {}),
    ],
)
def test_a_number_stands_for_its_controls(house, typed, controls, numbers) -> None:
    """8.3 is above 8.3.1 and 8.3.2, and not above 8.30."""
    read = read_scope(house.system, typed, on=TODAY, field="pasted")
    assert read.controls == controls
    if numbers is not None:
        found = {number: set(of) for number, of in read.numbers.items()}
        assert found == {number: set(of) for number, of in numbers.items()}


def test_what_is_neither_is_named(house) -> None:
    with pytest.raises(Refused) as refusal:
        read_scope(house.system, "CC6.1, CC9.9, A.5.15", on=TODAY, field="pasted")
    (sentence,) = refusal.value.messages
    assert "no control “CC9.9”, “A.5.15”. Nor does" in sentence


def test_on_the_page(house, audit) -> None:
    browser = sign_in_just_now(Client(), house.olivia)
    page = reverse("evidence:engagement_scope", args=[house.system.slug, audit.uuid])
    assert re.search(r"CM-8 [^<]*<small>CC6.1</small>", browser.get(page).text)
    body = {"which": "chosen", "pasted": "CC9.9", "version": audit.version}
    refused = browser.post(page, body)
    assert refused.status_code == 422
    assert "answer to such a number" in refused.text
    assert scope_of_engagement(audit).controls is None
    saved = browser.post(page, body | {"pasted": "CC6.1"}, follow=True)
    assert "CC6.1 is CM-8, SI-2." in saved.text
    assert scope_of_engagement(audit).controls == {"cm-8", "si-2"}


def test_over_the_api(house, audit) -> None:
    browser = sign_in_just_now(Client(), house.olivia)
    route = reverse("engagement-scope", args=[audit.uuid])
    tag = browser.get(route)["ETag"]

    def put(*named: str) -> Any:
        body = json.dumps({"controls": named})
        headers = {"If-Match": tag}
        return browser.put(route, body, "application/json", headers=headers)

    refused = put("CC9.9")
    assert refused.status_code == 400
    assert "no control “CC9.9”" in refused.text
    assert put("CC6.1").status_code == 200
    shown = browser.get(route).json()
    assert shown["controls"] == ["cm-8", "si-2"]
    assert {"number": "CC6.1", "controls": ["cm-8", "si-2"], "out_of_scope": []} in (
        shown["numbers"]
    )
