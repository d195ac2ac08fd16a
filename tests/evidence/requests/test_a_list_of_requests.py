"""AC-05, IN-04, RE-03: an auditor's own list of requests goes in and comes out again.

Each row is placed or named with line and column; what the preview showed is asked once,
by auditors of the running engagement; the workbook says what became of each, and of
evidence only what its reader may see.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from controls.crosswalks.adopt import adopt
from controls.crosswalks.rows import read_crosswalk
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, Team, User
from evidence.exports.request_list import REQUESTS, write_request_list
from evidence.models import Evidence, EvidenceRequest
from evidence.requests.answers import answer, decide_answer
from evidence.requests.requests import cancel
from evidence.status.rows import Moment
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import BEGINS, TODAY
from tests.sheets import csv_bytes, xlsx_bytes
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DUE = TODAY + dt.timedelta(days=14)
HEADINGS = ["PBC No.", "Evidence requested", "Description", "Control", "Owner",
            "Due date", "Firm's remark"]  # fmt: skip
HEADS = [column.title for column in REQUESTS.columns]
GOOD = [
    ["P-1", "Inventory", "As of today", "CM-8", "Data", "2026-12-01", "ours"],
    ["P-2", "Patches and guards", "", "SI-2; pe-03", "platform", "", ""],
]


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def door(house: House, view: str = "request_list") -> str:
    audit = house.system.engagements.get()
    return reverse(f"evidence:{view}", args=[audit.uuid])


def send(house: House, rows: Any, *, who: str = "audrey", name: str = "l.csv") -> Any:
    content = rows if isinstance(rows, bytes) else csv_bytes(rows)
    client = sign_in_just_now(Client(), house.people[who])
    body = {"file": SimpleUploadedFile(name, content), "due_on": DUE}
    return client.post(door(house), body)


def confirm(house: House, page: Any, who: str = "audrey") -> Any:
    (token,) = re.findall(r'name="token" value="([^"]+)"', page.text)
    client = sign_in_just_now(Client(), house.people[who])
    place = door(house, "request_list_confirm")
    return client.post(place, {"token": token}, follow=True)


def told(page: Any) -> list[str]:
    """What the preview lists beside its table."""
    part = page.text.partition("Preview of")[2].partition('<div class="table-scroll')[0]
    items = re.findall(r"<li>\s*(.*?)\s*</li>", part, re.DOTALL)
    return [re.sub(r"\s+", " ", item) for item in items]


def sheet(house: House, who: str = "audrey") -> list[dict[str, Any]]:
    """The rows of the list that goes out, by heading."""
    client = sign_in_just_now(Client(), house.people[who])
    content = client.get(door(house, "request_list_download")).content
    first, *rows = load_workbook(io.BytesIO(content))["Requests"].values
    return [dict(zip(first, row, strict=True)) for row in rows]


def test_a_list_in_the_firms_own_columns_is_shown_and_asked_once(house) -> None:
    page = send(house, [["Audit & Sons"], HEADINGS, *GOOD])
    assert page.status_code == 200
    assert told(page) == [
        "Line 1: stands above the headings and is not read.",
        "Line 3, column G: the column “Firm&#x27;s remark” is not read.",
    ]
    assert not EvidenceRequest.objects.exists()
    done = confirm(house, page)
    assert "2 requests are made." in done.text
    again = confirm(house, page)
    assert "This was submitted before" in again.text
    first, second = EvidenceRequest.objects.order_by("pk")
    assert (first.number, first.title, first.what) == (
        "P-1", "Inventory", "As of today",
    )  # fmt: skip
    assert (first.team, first.due_on) == (house.other_team, dt.date(2026, 12, 1))
    assert (second.team, second.due_on) == (house.team, DUE)
    assert second.asked_by == house.audrey
    assert second.engagement == house.system.engagements.get()
    of_second = second.controls.order_by("control__ref_id")
    assert list(of_second.values_list("control__ref_id", flat=True)) == ["pe-3", "si-2"]
    events = AuditEvent.objects.filter(verb="request.asked").order_by("seq")
    assert [event.subject_label for event in events] == [first.title, second.title]


def test_each_row_that_is_not_understood_is_named_with_line_and_column(house) -> None:
    page = send(
        house,
        [
            HEADINGS[:6],
            ["P-1", "Good", "", "CM-8", "", ""],
            ["", "No number", "", "CM-8", "", ""],
            ["P-1", "Twice", "", "CM-8", "", ""],
            ["P-4", "", "", "CM-8", "", ""],
            ["P-5", "Unknown", "", "CM-8, ZZ-9, whatever", "", ""],
            ["P-6", "None", "", "", "Platform", ""],
            ["P-7", "Team", "", "CM-8", "Marketing", ""],
            ["P-8", "Past", "", "CM-8", "", "2026-11-22"],
            ["P-9", "Never", "", "CM-8", "", "9999-12-31"],
            ["P-10", "No day", "", "CM-8", "", "2026-02-29"],
            ["P-11", "Long", "x" * 4001, "CM-8", "", ""],
            ["P" * 61, "Long number", "", "CM-8", "", ""],
        ],
    )
    assert page.status_code == 200
    text = page.text
    assert "1 request would be made." in text
    assert "11 rows are not understood" in text
    places = [re.match(r"Line (\d+), column (\w)", line) for line in told(page)]
    assert [(int(m[1]), m[2]) for m in places if m] == [
        (3, "A"), (4, "A"), (5, "B"), (6, "D"), (7, "D"), (8, "E"), (9, "F"),
        (10, "F"), (11, "F"), (12, "C"), (13, "A"),
    ]  # fmt: skip
    assert "“ZZ-9”, “whatever”" in text
    confirm(house, page)
    assert EvidenceRequest.objects.get().title == "Good"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"a,b\n1,2\n", "l.csv", "No line names the columns"),
        (b"", "l.csv", "is empty"),
        (b"PK\x03\x04broken", "l.xlsx", "There is a problem"),
        (b"%PDF-1.7", "l.pdf", "There is a problem"),
        (csv_bytes([HEADINGS, *GOOD[:1] * 501]), "l.csv", "more than 500 rows"),
        (
            csv_bytes([HEADINGS]),
            "l.csv",
            "The list contains no request that can be made.",
        ),
    ],
)
def test_a_file_that_is_no_list_is_refused(house, content, name, words) -> None:
    page = send(house, content, name=name)
    assert page.status_code == 422
    assert words in page.text
    assert 'name="token"' not in page.text
    assert not EvidenceRequest.objects.exists()


def test_a_workbook_with_a_cover_and_the_regimes_numbers(house) -> None:
    numbers = SimpleUploadedFile("n.csv", b"Control,Criteria\nCM-8,CC6.1\nSI-2,CC6.1\n")
    adopt(
        house.system,
        read_crosswalk(numbers, "n.csv"),
        title="SOC 2",
        starts_on=TODAY,
        by=house.olivia,
        today=TODAY,
    )
    book = xlsx_bytes(
        sheets={
            "Cover": [["Prepared by Audit & Sons"]],
            "PBC": [["#", "Request", "Criteria", "Due"],
                    [1, "Access list", "CC6.1", dt.datetime(2026, 12, 24)]],
        }
    )  # fmt: skip
    page = send(house, book, name="l.xlsx")
    assert told(page) == ["Sheet “Cover” has no headings of ours and is not read."]
    confirm(house, page)
    request = EvidenceRequest.objects.get()
    assert (request.number, request.due_on) == ("1", dt.date(2026, 12, 24))
    assert request.controls.count() == 2


def test_a_number_that_is_asked_already_is_not_asked_again(house) -> None:
    confirm(house, send(house, [HEADINGS, *GOOD]))
    page = send(house, [HEADINGS, *GOOD, ["P-3", "New", "", "AC-1", "", "", ""]])
    assert [line.partition(":")[0] for line in told(page)][:2] == [
        "P-1, “Inventory”", "P-2, “Patches and guards”",
    ]  # fmt: skip
    confirm(house, page)
    assert EvidenceRequest.objects.count() == 3
    (first,) = EvidenceRequest.objects.filter(number="P-1")
    cancel(first, reason="Not needed", by=house.audrey)
    page = send(house, [HEADINGS, *GOOD])
    confirm(house, page)
    assert EvidenceRequest.objects.filter(number="P-1").count() == 2


def test_two_previews_of_one_list_ask_it_once(house) -> None:
    """Two tabs, and two auditors."""
    one, two = send(house, [HEADINGS, *GOOD]), send(house, [HEADINGS, *GOOD])
    confirm(house, one)
    late = confirm(house, two)
    assert late.status_code == 409
    assert "Asked by somebody else under the same number: P-1, P-2" in late.text
    assert EvidenceRequest.objects.count() == 2


def test_only_its_auditors_send_it_while_they_are_let_in(house) -> None:
    page = send(house, [HEADINGS, *GOOD])
    assert send(house, [HEADINGS, *GOOD], who="olivia").status_code == 403
    assert confirm(house, page, who="olivia").status_code == 403
    for name in ("alice", "ray", "rita", "mallory"):
        assert send(house, [HEADINGS, *GOOD], who=name).status_code == 404
    house.system.engagements.update(ended_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    assert confirm(house, page).status_code in {404, 409}
    assert not EvidenceRequest.objects.exists()


def test_it_goes_out_with_what_became_of_each_and_may_come_in_again(house) -> None:
    confirm(house, send(house, [HEADINGS, *GOOD, ["P-3", "=1+1", "", "AC-1", "", ""]]))
    link = houses.submitted(house)
    first, second, _ = EvidenceRequest.objects.order_by("pk")
    for request in (first, second):
        answer(request, [link.revision.evidence], note="All", by=house.olivia)
    decide_answer(first, accept=False, reason="June lacks", by=house.audrey)
    rows = sheet(house)
    assert [row["Number"] for row in rows] == ["P-1", "P-2", "P-3"]
    assert [row["State"] for row in rows] == ["returned", "answered", "open"]
    assert rows[0]["What became of it"] == "Returned: June lacks"
    assert rows[1]["Remarks"] == "All"
    assert rows[2]["Request"] == "=1+1"
    assert rows[0]["Due"] == dt.datetime(2026, 12, 1)
    assert {row["Evidence"] for row in rows[:2]} == {"Patch report"}
    # bob's team is asked the first; what answers it is another team's
    for_bob = io.BytesIO()
    write_request_list(
        first.engagement,
        for_bob,
        reader=house.bob,
        moment=Moment(TODAY),
        window=(TODAY, TODAY),
        now=BEGINS,
    )
    sheet_of_bob = load_workbook(for_bob)["Requests"]
    (row,) = [dict(zip(HEADS, row, strict=False)) for row in sheet_of_bob.values][1:]
    assert (row["Number"], row["Evidence"]) == ("P-1", "1 piece that you may not see")
    client = sign_in_just_now(Client(), house.audrey)
    content = client.get(door(house, "request_list_download")).content
    page = send(house, content, name="again.xlsx")
    assert "Each request of the list is asked already" in page.text
    assert page.status_code == 422
    assert page.text.count("“Inventory”") == 1
    assert any(line.startswith("P-1, “Inventory”") for line in told(page))
    assert not [line for line in told(page) if "column A" in line]


def test_a_list_with_more_text_than_a_form_carries_is_sent_in_parts(house) -> None:
    chance, signs = random.Random(1), [chr(0x4E00 + n) for n in range(3000)]
    rows = [
        [f"P-{n}", "Text", "".join(chance.choices(signs, k=3900)), "CM-8", "", "", ""]
        for n in range(300)
    ]
    page = send(house, [HEADINGS, *rows])
    assert page.status_code == 422
    assert "send it in parts" in page.text


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_template_comes_in_as_it_went_out(house, kind) -> None:
    client = sign_in_just_now(Client(), house.audrey)
    place = door(house, "request_list_template")
    content = client.get(f"{place}?format={kind}").content
    page = send(house, content, name=f"list.{kind}")
    assert "The list contains no request that can be made." in page.text


def test_the_same_over_the_api(house) -> None:
    client = sign_in_just_now(Client(), house.audrey)
    audit = house.system.engagements.get()
    base = f"/api/v1/engagements/{audit.uuid}/request-list"
    bad = ["P-9", "Odd", "", "ZZ-9", "", "", ""]
    sent = SimpleUploadedFile("l.csv", csv_bytes([HEADINGS, *GOOD, bad]))
    plan = client.post(f"{base}/plan/", {"file": sent, "due_on": DUE})
    assert plan.status_code == 200, plan.text
    body = plan.json()
    assert [row["number"] for row in body["requests"]] == ["P-1", "P-2"]
    (fault,) = body["faults"]
    assert (fault["line"], fault["column"]) == (4, "D")
    for _ in range(2):
        made = client.post(
            f"{base}/confirm/", {"token": body["token"]}, "application/json"
        )
        assert made.status_code == 201
        assert [row["number"] for row in made.json()] == ["P-1", "P-2"]
    assert EvidenceRequest.objects.count() == 2
    answer = client.get(f"{base}/workbook/")
    book = load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    assert book["Requests"]["A2"].value == "P-1"


def test_r35_it_goes_out_as_known_then(house) -> None:
    """Export, change everything afterwards, export again with the same clocks."""
    confirm(house, send(house, [HEADINGS, *GOOD]))
    link = houses.submitted(house)
    first, second = EvidenceRequest.objects.order_by("pk")
    answer(first, [link.revision.evidence], note="All", by=house.olivia)
    client = sign_in_just_now(Client(), house.audrey)
    known_at = knowledge_now().isoformat().replace("+00:00", "Z")
    place = f"{door(house, 'request_list_download')}?known_at={known_at}"
    before = client.get(place)
    assert before.status_code == 200

    decide_answer(first, accept=False, reason="June lacks", by=house.audrey)
    cancel(second, reason="Not needed", by=house.audrey)
    Evidence.objects.update(title="Renamed")
    Team.objects.filter(pk=house.team.pk).update(name="Renamed")
    User.objects.filter(pk=house.audrey.pk).update(name="Renamed")
    confirm(house, send(house, [HEADINGS, ["P-7", "Later", "", "AC-1", "", "", ""]]))
    assert [row["State"] for row in sheet(house)] == ["returned", "cancelled", "open"]

    again = client.get(place)
    then, now = (load_workbook(io.BytesIO(a.content)) for a in (before, again))
    rows = [list(book["Requests"].values) for book in (then, now)]
    assert rows[0] == rows[1] and len(rows[0]) == 3
    audit = house.system.engagements.get()
    api = f"/api/v1/engagements/{audit.uuid}/request-list/workbook/"
    over_api = client.get(api, {"known_at": known_at})
    book = load_workbook(io.BytesIO(b"".join(over_api.streaming_content)))
    assert list(book["Requests"].values) == rows[0]
    facts = dict(list(row)[:2] for row in book["About"].values)
    assert facts["Known at"].startswith(known_at[:19])
    earlier = client.get(door(house, "request_list_download"), {"on": "2026-10-01"})
    assert load_workbook(io.BytesIO(earlier.content))["Requests"].max_row == 1
