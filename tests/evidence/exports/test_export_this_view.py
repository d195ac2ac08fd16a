"""AU-10: the rows of a file are those of the page it was asked for from."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from evidence.exports.formats import FORMATS
from evidence.exports.jobs import make_export
from evidence.models import Export
from tests.evidence.exports import everything
from tests.evidence.house import TODAY, House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
VIEWS = [
    {},
    {"family": "ac"},
    {"responsibility": "inherited"},
    {"verdict": "proven"},
    {"verdict": "unproven"},
    {"verdict": "exceptions"},
    {"status": "implemented", "team": "Platform"},
    {"q": "inventory"},
    {"verdict": "partly", "on": "2026-11-20"},
    {"family": "cm", "on": "2026-11-20", "known_at": "2026-11-22"},
    {"verdict": "exceptions", "window_from": "2026-08-01", "window_to": "2026-10-31"},
]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return everything.build(settings, tmp_path)


@pytest.fixture
def browser(client: Client, house: House) -> Client:
    sign_in_just_now(client, house.ray)
    return client


def shown(browser: Client, view: dict[str, str]) -> list[str]:
    """Ids of the controls of all pages of the view."""
    answer = browser.get("/systems/shop/controls/", view)
    assert answer.context["page"].paginator.num_pages == 1
    rows = [getattr(row, "implementation", row) for row in answer.context["page"]]
    return [row["ref_id"] for row in rows]


def asked_from(browser: Client, view: dict[str, str]) -> dict[str, str]:
    """The form that "Export this view" leads to, as it is filled in."""
    page = browser.get("/systems/shop/controls/", view).content.decode()
    (link,) = re.findall(r'href="([^"]+)">Export this view', page)
    address = urlsplit(unescape(link))
    form = browser.get(address.path, dict(parse_qsl(address.query))).context["form"]
    return {field.name: field.value() or "" for field in form}


def rows_of(browser: Client, export: Export) -> list[dict[str, str]]:
    make_export(export.pk)
    answer: Any = browser.get(f"/exports/{export.uuid}/download/")
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body)))


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_the_rows_are_those_of_the_page(browser, house, view) -> None:
    expected = shown(browser, view)
    if not expected:  # of an instant before the house was recorded, above all
        page = browser.get("/systems/shop/controls/", view).content.decode()
        assert "Export this view" not in page
        return
    answer = browser.post("/exports/request/", asked_from(browser, view))
    assert answer.status_code == 302, answer.content.decode()
    export = Export.objects.get()
    rows = rows_of(browser, export)
    assert [row["control_id"] for row in rows] == expected
    assert rows[0]["on"] == view.get("on", str(TODAY))
    if "window_from" in view:
        assert rows[0]["window_start"] == view["window_from"]
        assert rows[0]["window_end"] == view["window_to"]


def test_the_views_of_this_test_tell_controls_apart(browser, house) -> None:
    """Else equal rows would say nothing."""
    counts = {len(shown(browser, view)) for view in VIEWS}
    assert counts >= {0, 1, 4}


def test_the_list_of_exports_names_the_view(browser, house) -> None:
    browser.post("/exports/request/", asked_from(browser, {"family": "ac"}))
    page = " ".join(browser.get("/exports/").content.decode().split())
    assert "family AC" in page


def test_over_the_api_with_the_same_names(browser, house) -> None:
    body = {"system": "shop", "filters": {"family": "ac"}, "format": "csv"}
    answer = browser.post("/api/v1/exports/", body, "application/json")
    assert answer.status_code == 202, answer.content
    assert answer.json()["filters"] == {"family": "ac"}
    (row,) = rows_of(browser, Export.objects.get())
    assert row["control_id"] == "ac-1"


def test_a_view_without_controls_makes_no_file(browser, house) -> None:
    body = {"system": "shop", "filters": {"family": "zz"}}
    answer = browser.post("/api/v1/exports/", body, "application/json")
    assert answer.status_code == 400
    assert "No control of the system is in this view" in answer.content.decode()
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"on": "2026-11-24"}, "That day has not come yet"),
        ({"known_at": "2026-12-01T00:00:00Z"}, "That time has not come yet"),
        ({"known_at": "2020-01-01T00:00:00Z"}, "Nothing of this system was recorded"),
        (
            {"window_from": "2026-11-01", "window_to": "2026-10-01"},
            "The window ends before it starts",
        ),
        ({"window_from": "2026-11-01"}, "Give both days of a window"),
        ({"format": "docx"}, "docx"),
    ],
)
def test_what_no_file_can_be_about_is_refused(browser, house, more, sentence) -> None:
    answer = browser.post(
        "/api/v1/exports/", {"system": "shop", **more}, "application/json"
    )
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Export.objects.exists()


def test_page_and_api_offer_the_same_formats(browser, house) -> None:
    form = browser.get("/exports/").context["form"]
    assert [name for name, _ in form.fields["format"].choices] == list(FORMATS)
    for name in FORMATS:
        body = {"system": "shop", "format": name}
        answer = browser.post("/api/v1/exports/", body, "application/json")
        assert (answer.status_code, answer.json()["format"]) == (202, name)
