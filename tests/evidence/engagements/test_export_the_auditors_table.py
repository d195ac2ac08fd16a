"""AU-10: the rows of a file are those of the auditor's table it was asked for from."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from controls.crosswalks.adopt import adopt
from controls.crosswalks.rows import read_crosswalk
from evidence.exports.jobs import make_export
from evidence.models import ControlMark, Export
from tests.evidence.exports import everything
from tests.evidence.house import TODAY, House
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
VIEWS = [
    {},
    {"responsibility": "inherited"},
    {"result": "exceptions"},
    {"number": "CC6.1"},
    {"mark": "satisfied"},
    {"mark": "not_started"},
    {"mark": "not_started", "number": "CC6.1"},
    {"q": "cm-8", "on": "2026-11-20"},
    {"result": "exceptions", "window_from": "2026-08-01", "window_to": "2026-10-31"},
]


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    built = everything.build(settings, tmp_path)
    file = SimpleUploadedFile("n.csv", b"Control,Criteria\nCM-8,CC6.1\nSI-2,CC6.1\n")
    adopt(
        built.system,
        read_crosswalk(file, "n.csv"),
        title="SOC 2",
        starts_on=TODAY,
        by=built.olivia,
        today=TODAY,
    )
    return built


@pytest.fixture
def browser(client: Client, house: House) -> Client:
    sign_in_just_now(client, house.audrey)
    audit = house.system.engagements.get()
    body = {"state-cm-8": "satisfied", "seen-cm-8": "not_started:0"}
    client.post(reverse("evidence:marks_save", args=[audit.uuid]), body)
    return client


def table(browser: Client, house: House, view: dict[str, str]) -> Any:
    audit = house.system.engagements.get()
    return browser.get(reverse("evidence:audit_controls", args=[audit.uuid]), view)


def asked_from(browser: Client, page: Any) -> Any:
    """The answer to the form that "Export this view" leads to, sent as it is."""
    (link,) = re.findall(r'href="([^"]+)">Export this view', page.content.decode())
    address = urlsplit(unescape(link))
    form = browser.get(address.path, dict(parse_qsl(address.query))).context["form"]
    body = {field.name: field.value() or "" for field in form}
    return browser.post("/exports/request/", body)


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_the_rows_are_those_of_the_table(browser, house, view) -> None:
    page = table(browser, house, view)
    expected = [one.row["ref_id"] for one in page.context["page"]]
    if not expected:
        assert "Export this view" not in page.content.decode()
        return
    answer = asked_from(browser, page)
    assert answer.status_code == 302, answer.content.decode()
    export = Export.objects.get()
    make_export(export.pk)
    file: Any = browser.get(f"/exports/{export.uuid}/download/")
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["control_id"] for row in rows] == expected
    assert rows[0]["on"] == view.get("on", str(TODAY))
    if "window_from" in view:
        assert rows[0]["window_start"] == view["window_from"]


def test_the_views_of_this_test_tell_controls_apart(browser, house) -> None:
    counts = {len(table(browser, house, view).context["page"]) for view in VIEWS}
    assert counts >= {1, 2, 3, 4}


def test_the_list_of_exports_names_the_state(browser, house) -> None:
    asked_from(browser, table(browser, house, {"mark": "satisfied"}))
    page = " ".join(browser.get("/exports/").content.decode().split())
    assert "the auditors&#x27; mark Satisfied" in page


@pytest.mark.parametrize("state", ["satisfied", "odd"])
def test_marks_of_an_audit_that_one_does_not_read_narrow_nothing(house, state) -> None:
    """Nor is told whether there is such an audit."""
    audit = house.system.engagements.get()
    client = sign_in_just_now(Client(), house.ray)
    for named in (audit.uuid, "00000000-0000-4000-8000-000000000000", "x"):
        body = {"system": "shop", "filters": {"mark": f"{named}:{state}"}}
        answer = client.post("/api/v1/exports/", body, "application/json")
        assert answer.status_code == 400
        assert "an audit that you read" in answer.text
    assert not Export.objects.exists()


def test_marks_of_now_are_not_exported_as_known_earlier(browser, house) -> None:
    view = {"mark": "not_started", "known_at": str(TODAY)}
    page = table(browser, house, view | {"known_at": "2026-11-22"})
    assert "Export this view" not in page.content.decode()


def test_r31_marks_are_those_of_the_knowledge_asked_for(browser, house) -> None:
    """What was known before a mark shows none, in table, progress and API, and takes
    none."""
    first = ControlMark.objects.order_by("known_from")[0]
    then = {"known_at": first.known_from.isoformat()}
    now = table(browser, house, {"mark": "satisfied"})
    assert now.context["page"].object_list and "state-cm-8" in now.content.decode()
    before = table(browser, house, then | {"mark": "satisfied"})
    assert not before.context["page"].object_list
    everybody = table(browser, house, then)
    assert everybody.context["page"].object_list
    assert "state-cm-8" not in everybody.content.decode()
    address = reverse("evidence:audit", args=[house.system.engagements.get().uuid])
    assert browser.get(address).context["progress"].begun == 1
    assert browser.get(address, then).context["progress"].begun == 0
    address = f"/api/v1/engagements/{first.engagement.uuid}/controls/"
    assert any(row["mark"] for row in browser.get(address).json()["results"])
    earlier = browser.get(address, then).json()["results"]
    assert earlier and not any(row["mark"] for row in earlier)
