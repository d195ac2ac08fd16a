"""R36: a response answers what was counted when it was written. What comes to its item
later is unanswered on each page, over the API and in each export, and as known then it
was answered."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import zipfile
from dataclasses import replace
from typing import Any

import openpyxl
import pypdfium2
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from controls.history.clock import knowledge_now
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import ExportScope, no_progress, one_snapshot
from evidence.findings.recording import record_finding
from evidence.findings.responses import decide_response, items_answered, respond
from evidence.models import ItemResponse
from evidence.populations.event_list import EventRow, Events
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
)
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.selection import SelectionMethod
from evidence.status.items import Extent, WindowItem
from evidence.status.rows import Moment
from tests import factories
from tests.evidence.findings.hands import post
from tests.evidence.scenarios.stage import ask_only
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date
BODY = {
    "cause": "The tool was down.",
    "effect": "Nothing got in.",
    "measures": "Checked by hand.",
    "owner": "Platform",
}
Q1 = (D(2026, 1, 1), D(2026, 3, 31))
FORMAT_NAMES = ("csv", "xlsx", "pdf", "oscal-assessment-results", "oscal-poam")


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-12", "si-2"), slug="two")
    return factories.make_system(oscar, baseline=baseline)


@pytest.fixture
def window(system):
    return system.window_start, TODAY - dt.timedelta(days=1)


@pytest.fixture
def sampled(system, settings, tmp_path, alice, rita, oscar):
    """Five changes of the first quarter, all sampled, two of them deviating."""
    settings.EVIDENCE_STORE = str(tmp_path)
    asked = ask_only(system, "ac-12", "Changes", cadence="per-event")
    statement = PopulationStatement("Tickets", "type = change", *Q1, "No gaps.")
    events = Events([EventRow(n, f"CHG-{n}", Q1[0]) for n in range(5)])
    made = submit_population(asked, statement, events, by=alice, today=TODAY)
    decide_population(made, accept=True, reason="Complete.", by=rita)
    drawn = draw_sample(made, SelectionMethod("all"), reason="Few", by=oscar)
    items = list(drawn.items.order_by("item__position"))
    for item in items[:2]:
        record_deviation(item, note="Nobody approved.", by=rita)
    return items


def row_of(system, window, kind: str, known_at: Any = None):
    control = factories.implementation(system, "ac-12")
    rows = items_answered(
        system, Moment(TODAY, known_at), window, implementations=[control]
    )
    return next(row for row in rows if row.item.kind == kind)


def answered(system, window, by, second, kind: str = "deviation") -> ItemResponse:
    control = factories.implementation(system, "ac-12")
    key = row_of(system, window, kind).item.key
    response = respond(control, key, window, **BODY, by=by)
    decide_response(response, decision="accept", by=second)
    return response


def exported(system, window, name: str, known_at: Any) -> bytes:
    file = io.BytesIO()
    scope = ExportScope(system, Moment(TODAY, known_at), window)
    with one_snapshot():
        FORMATS[name].write(scope, file, no_progress)
    return file.getvalue()


def text_of(content: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content))


@pytest.mark.django_db(transaction=True)  # a package is made by two processes
def test_r36_a_third_deviation_is_not_answered_by_what_was_said_of_two(
    system, window, sampled, as_user, alice, rita, olga, oscar, audrey
):
    control = factories.implementation(system, "ac-12")
    record_finding(
        control, title="Weak", text="It is.", severity="low", source="x",
        found_on=Q1[0], by=oscar,
    )  # fmt: skip
    response = answered(system, window, alice, rita)
    assert response.events == [1, 2]
    assert row_of(system, window, "deviation").is_answered
    known_then = knowledge_now()
    before = {name: exported(system, window, name, known_then) for name in FORMAT_NAMES}
    record_deviation(sampled[2], note="Nobody tested.", by=rita)

    row = row_of(system, window, "deviation")
    assert (row.accepted, row.answered_of, row.counted) == (response, 2, 3)
    assert not row.is_answered
    assert row_of(system, window, "deviation", known_then).is_answered  # two clocks
    sentence = "Answered for 2 of 3 deviations."

    days = {"window_from": window[0], "window_to": window[1]}
    listed = reverse("evidence:responses", args=[system.slug])
    page = text_of(as_user(alice).get(listed, days).text)
    rows = items_answered(system, Moment(TODAY), window)
    assert f"{len(rows)} in all, {len(rows)} without an accepted response" in page
    assert sentence in page
    assert "Respond to all of it" in page
    engagement = audrey.memberships.get().engagement
    auditor = as_user(audrey)
    for view, args in (("audit_controls", []), ("mark", ["ac-12"])):
        address = reverse(f"evidence:{view}", args=[engagement.uuid, *args])
        assert sentence in text_of(auditor.get(address, days).text), view
    (item,) = [
        each
        for each in auditor.get(
            reverse("api_responses", args=[system.slug]), days
        ).json()
        if each["kind"] == "deviation"
    ]
    shown = (item["counted"], item["answered_for"], item["answered"], item["lacking"])
    assert shown == (3, 2, False, sentence)

    now = knowledge_now()
    after = {name: exported(system, window, name, now) for name in FORMAT_NAMES}
    assert sentence in after["csv"].decode()
    book = openpyxl.load_workbook(io.BytesIO(after["xlsx"]))
    first, *others = book["Responses"].iter_rows(min_row=2, values_only=True)
    assert first[16:] == ("3 deviations", 2, sentence)
    assert {other[12] for other in others} == {"not answered"}
    pages = pypdfium2.PdfDocument(after["pdf"])
    report = " ".join(each.get_textpage().get_text_bounded() for each in pages)
    assert sentence in re.sub(r"\s+", " ", report)
    for name in FORMAT_NAMES[3:]:
        (observed,) = [
            node
            for node in observations_of(json.loads(after[name]))
            if node.get("title", "").startswith("Deviations in a sample")
        ]
        told = {prop["name"]: prop["value"] for prop in observed["props"]}
        assert (told["counted"], told["answered-for"], told["answered"]) == (
            "3",
            "2",
            "no",
        )
        assert sentence in observed["remarks"]
    archive = zipfile.ZipFile(io.BytesIO(exported(system, window, "package", now)))
    (name,) = [name for name in archive.namelist() if name.endswith("responses.csv")]
    lines = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
    assert lines[0]["Not answered"] == sentence
    (name,) = [name for name in archive.namelist() if name.endswith("/AC-12.html")]
    assert sentence in archive.read(name).decode()
    for name, content in before.items():  # as known then, byte for byte
        assert exported(system, window, name, known_then) == content, name

    anew = answered(system, window, olga, rita)
    assert anew.events == [1, 2, 3]
    assert row_of(system, window, "deviation").is_answered


def observations_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    (whole,) = document.values()
    holder = whole["results"][0] if "results" in whole else whole
    found: list[dict[str, Any]] = holder["observations"]
    return found


def test_r36_what_was_counted_when_the_page_was_opened_is_what_is_answered(
    system, window, sampled, as_user, alice, rita
):
    """Two tabs: what came to it meanwhile is refused with what it is now, typed text
    kept; the same over the API."""
    days = {"window_from": window[0], "window_to": window[1]}
    row = row_of(system, window, "deviation")
    new = reverse("evidence:response_new", args=[system.slug, "ac-12", row.item.key])
    new += "?" + "&".join(f"{name}={day}" for name, day in days.items())
    browser = as_user(alice)
    assert "2 deviations" in browser.get(new).text
    seen = row.item.extent.key
    record_deviation(sampled[2], note="Nobody tested.", by=rita)
    refused = browser.post(new, BODY | {"seen": seen})
    assert refused.status_code == 409
    assert "it is 3 deviations" in refused.text
    assert BODY["cause"] in refused.text
    body = BODY | {"control_id": "ac-12", "item": row.item.key, "extent": seen}
    route = reverse("api_responses", args=[system.slug])
    api = post(browser, "api_responses", body, system.slug)
    assert api.status_code in {409, 400}, route  # the item of the usual window, too
    assert not ItemResponse.objects.exists()
    again = row_of(system, window, "deviation").item.extent.key
    assert browser.post(new, BODY | {"seen": again}).status_code == 302
    assert ItemResponse.objects.get().events == [1, 2, 3]


def test_r36_a_response_that_waits_says_what_it_leaves_open(
    system, window, sampled, as_user, alice, rita
):
    """The second person sees it before deciding; accepted, it answers its two."""
    control = factories.implementation(system, "ac-12")
    key = row_of(system, window, "deviation").item.key
    response = respond(control, key, window, **BODY, by=alice)
    record_deviation(sampled[2], note="Nobody tested.", by=rita)
    days = {"window_from": window[0], "window_to": window[1]}
    listed = reverse("evidence:responses", args=[system.slug])
    page = text_of(as_user(rita).get(listed, days).text)
    assert "Answered for 2 of 3 deviations. The rest needs another response." in page
    assert "It answers what was counted then: 2 deviations" in page
    decide_response(response, decision="accept", by=rita)
    assert not row_of(system, window, "deviation").is_answered


def test_r36_days_that_become_more_are_asked_about_anew(system, oscar, rita):
    asked = factories.requirement(system, "ac-12")
    asked.operates_from = D(2027, 3, 1)
    asked.save(update_fields=["operates_from"])
    window = (system.window_start, system.window_end)
    response = answered(system, window, oscar, rita, "unasked")
    counted = (TODAY - window[0]).days + 1
    control = factories.implementation(system, "ac-12")

    def on(day: dt.date):
        rows = items_answered(system, Moment(day), window, implementations=[control])
        return next(row for row in rows if row.item.kind == "unasked")

    assert on(TODAY).is_answered
    later = on(TODAY + dt.timedelta(days=7))
    assert later.accepted == response
    assert (later.answered_of, later.counted) == (counted, counted + 7)
    assert later.lacking_words == f"Answered for {counted} of {counted + 7} days."
    earlier = on(TODAY - dt.timedelta(days=7))
    assert earlier.is_answered


def extent(kind: Any, late_days: int = 0, events: tuple[int, ...] = ()) -> Extent:
    return Extent(kind, *Q1, late_days, events)


@pytest.mark.parametrize(
    ("now", "then", "shared"),
    [
        (extent("missed"), extent("missed"), 1),
        (extent("missed"), extent("late", 5), 0),
        (extent("late", 5), extent("missed"), 1),
        (extent("late", 5), extent("late", 5), 1),
        (extent("late", 6), extent("late", 5), 0),
        (extent("late", 4), extent("late", 5), 1),
        (extent("waived"), extent("missed"), 0),
        (extent("missed"), extent("waived"), 0),
        (extent("sample", events=(2, 5)), extent("sample", events=(1, 2, 3)), 1),
        (extent("deviation", events=(2,)), extent("deviation"), 0),
    ],
)
def test_r36_what_of_an_item_was_there_already(now, then, shared):
    """As many events are not the same events; what was late turns out graver."""
    assert now.shared(then) == shared
    assert now.shared(now) == now.counted
    assert (now.key == then.key) == (now == then)


def test_r36_the_key_stays_whatever_is_counted():
    item = WindowItem("deviation", "r", "p", "Changes", *Q1, events=(1,))
    assert item.key == replace(item, events=(1, 2)).key
    assert item.extent.key != replace(item, events=(1, 2)).extent.key


def test_nobody_answers_for_what_the_day_does_not_show(system, window, sampled, alice):
    control = factories.implementation(system, "ac-12")
    key = row_of(system, window, "deviation").item.key
    with pytest.raises(ValidationError, match="not as it was when you opened it"):
        respond(control, key, window, **BODY, seen="0" * 16, by=alice)
