"""R15, R36: the company's accepted responses stand beside their items in the auditor's
table and in CSV, XLSX and PDF; exceptions that are all answered say so, and stay."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from typing import Any

import openpyxl
import pypdfium2
import pytest
from django.urls import reverse

from controls.history.clock import knowledge_now
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import ExportScope, no_progress
from evidence.findings.responses import decide_response, items_answered, respond
from evidence.status.rows import Moment
from tests import factories
from tests.evidence.scenarios.stage import ask_only
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
BODY = {
    "cause": "The tool was down.",
    "effect": "Nothing got in.",
    "measures": "Checked by hand.",
    "owner": "Platform",
}


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-12", "si-2"), slug="two")
    system = factories.make_system(oscar, baseline=baseline)
    ask_only(system, "ac-12", "Report", cadence="monthly")
    return system


@pytest.fixture
def window(system):
    return system.window_start, TODAY - dt.timedelta(days=1)


def answer(system, window, alice, rita, *, number: int | None = None) -> int:
    """Respond to so many items of AC-12, all for None; how many there are."""
    control = factories.implementation(system, "ac-12")
    rows = items_answered(system, Moment(TODAY), window, implementations=[control])
    for row in rows[:number]:
        response = respond(control, row.item.key, window, **BODY, by=alice)
        decide_response(response, decision="accept", by=rita)
    return len(rows)


def exported(system, window, name: str, known_at: Any = None) -> bytes:
    moment = Moment(TODAY, known_at or knowledge_now())
    file = io.BytesIO()
    FORMATS[name].write(ExportScope(system, moment, window), file, no_progress)
    return file.getvalue()


def csv_row(content: bytes) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return next(row for row in rows if row["control_id"] == "ac-12")


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_beside_the_items_for_the_auditor(
    system, window, as_user, alice, rita, audrey
) -> None:
    engagement = audrey.memberships.get().engagement
    first, last = window
    clocks = {"window_from": first, "window_to": last}
    table = reverse("evidence:audit_controls", args=[engagement.uuid])
    page = reverse("evidence:mark", args=[engagement.uuid, "ac-12"])
    browser = as_user(audrey)
    total = answer(system, window, alice, rita, number=1)
    assert total > 1
    listed = text_of(browser.get(table, clocks))
    assert "Response: Report" in listed
    assert BODY["cause"] in listed
    assert "exceptions answered" not in listed.lower()
    control = text_of(browser.get(page, clocks))
    assert control.count("not answered") == total - 1


def test_all_answered_says_so_and_stays_an_exception(
    system, window, as_user, alice, rita, audrey
) -> None:
    engagement = audrey.memberships.get().engagement
    before = csv_row(exported(system, window, "csv"))
    assert (before["period_result"], before["answered"]) == ("exceptions", "")
    total = answer(system, window, alice, rita)
    after = csv_row(exported(system, window, "csv"))
    assert (after["period_result"], after["answered"]) == ("exceptions", "yes")
    counted = ("expected", "on_time", "late", "missed")
    assert [after[name] for name in counted] == [before[name] for name in counted]
    assert after["responses"].count(BODY["cause"]) == total
    first, last = window
    page = as_user(audrey).get(
        reverse("evidence:audit_controls", args=[engagement.uuid]),
        {"window_from": first, "window_to": last},
    )
    assert "exceptions answered" in text_of(page).lower()


def test_in_workbook_and_report(system, window, alice, rita) -> None:
    answer(system, window, alice, rita, number=1)
    book = openpyxl.load_workbook(io.BytesIO(exported(system, window, "xlsx")))
    said, *others = book["Responses"].iter_rows(min_row=2, values_only=True)
    assert {other[12] for other in others} == {"not answered"}
    assert said[0] == "AC-12"
    assert said[5:8] == tuple(BODY[name] for name in ("cause", "effect", "measures"))
    assert said[12:14] == ("accepted", str(rita))
    report = pypdfium2.PdfDocument(exported(system, window, "pdf"))
    pages = [page.get_textpage().get_text_bounded() for page in report]
    assert "The tool was down" in re.sub(r"\s+", " ", " ".join(pages))


def test_what_waits_or_was_written_later_is_not_shown(
    system, window, alice, rita
) -> None:
    known_at = knowledge_now()
    before = exported(system, window, "csv", known_at)
    control = factories.implementation(system, "ac-12")
    rows = items_answered(system, Moment(TODAY), window, implementations=[control])
    respond(control, rows[0].item.key, window, **BODY, by=alice)
    assert csv_row(exported(system, window, "csv"))["responses"] == ""
    answer(system, window, alice, rita, number=0)
    assert exported(system, window, "csv", known_at) == before
