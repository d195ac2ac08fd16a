"""A list of events is seen first, recorded whole or not, and judged by another."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from openpyxl import Workbook

from controls.models import AuditEvent
from evidence.models import (
    Population,
    PopulationItem,
    PopulationReview,
    RequirementControl,
)
from evidence.populations.event_list import MAX_ROWS
from evidence.views.once import SAME_AGAIN
from tests.evidence.house import House, file
from tests.evidence.per_event import (
    END,
    START,
    TODAY,
    bring,
    build,
    half,
    judge,
    listed,
    made_per_event,
    said,
    sample,
    url,
)
from tests.sheets import csv_bytes, strict, xlsx_bytes


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    return build(settings, tmp_path)


@pytest.fixture
def asked(house) -> RequirementControl:
    return made_per_event(house)


@pytest.fixture
def population(client, house, asked) -> Population:
    client.force_login(house.alice)
    return bring(client, asked, list=file("changes.csv", listed()))


def test_a_list_is_seen_first_and_recorded_when_confirmed(client, house, asked):
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file("changes.csv", listed())))
    assert answer.status_code == 200
    assert "CHG-3" in answer.content.decode()
    assert not Population.objects.exists()
    token = answer.context["preview"].token
    assert client.post(url(asked, "confirm/"), {"token": token}).status_code == 302
    made = Population.objects.get()
    assert (made.row_count, made.columns) == (10, ["Asked by"])
    assert made.blob is not None
    assert made.blob.sha256 == made.sha256
    event = AuditEvent.objects.get(verb="population.drawn")
    assert made.sha256 in event.body
    page = client.get(f"/populations/{made.uuid}/").content.decode()
    assert "CHG-9" in page
    assert "team 9" in page


def test_a_sheet_and_pasted_lines_work_like_a_file(client, house, asked):
    book, out = Workbook(), io.BytesIO()
    book.active.append(["Ticket", "Created"])
    book.active.append(["CHG-1", START])
    book.active.append(["CHG-2", dt.datetime.combine(END, dt.time(13, 5))])
    book.save(out)
    client.force_login(house.alice)
    made = bring(client, asked, list=file("changes.xlsx", out.getvalue()))
    assert [i.happened_on for i in made.items.all()] == [START, END]
    made = bring(client, asked, pasted=f"key;day\nX-1;{END}\n")
    assert [i.key for i in made.items.all()] == ["X-1"]


def test_everything_wrong_is_named_by_line_and_nothing_is_kept(client, house, asked):
    client.force_login(house.alice)
    body = f"key,day\nA,{START}\nA,{START}\n,{START}\nB,31.10.2026\nC,2001-01-01\n"
    answer = client.post(url(asked), said(list=file("l.csv", body.encode())))
    assert answer.status_code == 422
    found = {e.line: e.text for e in answer.context["preview"].events.errors}
    assert set(found) == {3, 4, 5, 6}
    assert "line 2 already" in found[3]
    assert not answer.context["preview"].token
    assert not PopulationItem.objects.exists()


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("l.csv", b"what,when\n", "No column of the first line is called"),
        ("l.csv", b"key,day,a,a\n", "the same name"),
        ("l.txt", b"key,day\n", "ends in .csv or .xlsx"),
    ],
)
def test_a_list_that_cannot_be_read_is_said(client, house, asked, name, body, sentence):
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file(name, body)))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("l.csv", f"key;day;von\nCHG-1;{START};Müller\n".encode("cp1252")),
        ("l.csv", f"key\tday\tvon\nCHG-1\t{START}\tMüller\n".encode("utf-16")),
        ("l.csv", f"sep=;\nkey;day;von\nCHG-1;{START};Müller\n".encode()),
        ("l.xlsx", xlsx_bytes([["key", "day", "von"], ["CHG-1", START, "Müller"]])),
    ],
    ids=["Windows-1252", "UTF-16", "hint of Excel", "workbook"],
)
def test_a_list_is_taken_as_programs_save_it(client, house, asked, name, content):
    client.force_login(house.alice)
    made = bring(client, asked, list=file(name, content))
    (event,) = made.items.all()
    assert (event.key, event.happened_on) == ("CHG-1", START)
    assert event.columns == {"von": "Müller"}


def test_days_are_those_of_the_system(client, house, asked):
    """An instant with an offset falls on the day that the system's zone says."""
    client.force_login(house.alice)
    late = f"key,day\nCHG-1,{END}T23:30:00-05:00\n".encode()
    answer = client.post(url(asked), said(list=file("late.csv", late)))
    (error,) = answer.context["preview"].events.errors
    assert f"{END + dt.timedelta(days=1)} is outside" in error.text
    before = START - dt.timedelta(days=1)
    early = f"key,day\nCHG-2,{before}T23:30:00-05:00\nCHG-3,{END} 23:30\n".encode()
    made = bring(client, asked, list=file("early.csv", early))
    assert [event.happened_on for event in made.items.all()] == [START, END]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "l.csv",
            f'key,day,note\nCHG-1,{START},ok\nCHG-2,{START},"19 inch\n'.encode(),
            "Line 3: a quote is opened and never closed.",
        ),
        ("l.xlsx", strict(xlsx_bytes([["key", "day"]])), "“Strict Open XML”"),
        (
            "l.xlsx",
            xlsx_bytes(sheets={"A": [["key", "day"]], "B": [["X-1", str(START)]]}),
            "Sheet “B” holds lines too",
        ),
        ("l.csv", b"Changes\nkey,day\n", "Line 2 names both"),
    ],
    ids=["open quote", "strict", "two sheets", "title first"],
)
def test_no_event_is_lost_with_a_list(client, house, asked, name, content, sentence):
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file(name, content)))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Population.objects.exists()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_of_an_event_is_lost(client, house, asked, kind):
    table = [
        ["key", "day", "note"],
        ["CHG-1", "46300", "x"],
        ["CHG-2", str(START), "#REF!"],
        ["CHG-3", str(START), "x", "lost"],
    ]
    content = csv_bytes(table) if kind == "csv" else xlsx_bytes(table)
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file(f"l.{kind}", content)))
    assert answer.status_code == 422
    errors = {e.line: e.text for e in answer.context["preview"].events.errors}
    assert "a workbook means 2026-10-05" in errors[2]
    assert errors[3] == "Column C: The cell holds the error #REF! instead of a value."
    assert errors[4] == "Column D has a value but no heading."


def test_no_events_are_said_and_not_left_out(client, house, asked):
    client.force_login(house.alice)
    empty = file("l.csv", b"key,day\n")
    refused = client.post(url(asked), said(list=empty))
    assert "say so if no event happened" in refused.content.decode()
    assert client.post(url(asked), said()).status_code == 422
    both = said(list=file("l.csv", listed()), none_happened="on")
    assert client.post(url(asked), both).status_code == 422
    made = bring(client, asked, none_happened="on")
    assert (made.row_count, made.blob) == (0, None)
    state, codes, _ = half(house, asked)
    assert (state, "population_unreviewed" in codes) == ("pending", True)
    judge(client, house.rita, made)
    state, codes, period = half(house, asked)
    assert (state, codes & {"no_events"}) == ("proven", {"no_events"})
    assert period.occurrences.on_time == 1
    assert sample(client, house.olivia, made).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [("ends", TODAY), ("ends", START - dt.timedelta(days=1)), ("completeness", "")],
)
def test_words_and_days_that_cannot_be_are_refused(client, house, asked, field, value):
    client.force_login(house.alice)
    more = {field: value + dt.timedelta(days=1) if value == TODAY else value}
    answer = client.post(url(asked), said(none_happened="on", **more))
    assert answer.status_code == 422
    assert not Population.objects.exists()


def test_a_preview_confirmed_again_leads_to_the_same_population(client, house, asked):
    """RE-03: a double click, or back and confirm, records nothing more."""
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file("changes.csv", listed())))
    token = {"token": answer.context["preview"].token}
    first = client.post(url(asked, "confirm/"), token)
    again = client.post(url(asked, "confirm/"), token)
    assert (again.status_code, again["Location"]) == (302, first["Location"])
    assert SAME_AGAIN in client.get(again["Location"]).content.decode()
    assert Population.objects.count() == 1


def test_a_preview_is_confirmed_by_its_author_only(client, house, asked):
    client.force_login(house.alice)
    token = client.post(url(asked), said(none_happened="on")).context["preview"].token
    client.force_login(house.olivia)
    answer = client.post(url(asked, "confirm/"), {"token": token})
    assert answer.status_code == 409
    assert client.post(url(asked, "confirm/"), {"token": "x"}).status_code == 409


def test_only_what_is_asked_per_event_has_populations(client, house):
    client.force_login(house.alice)
    assert client.get(url(house.requirement("si-2"))).status_code == 400


def test_days_of_centuries_are_no_population(client, house, asked):
    client.force_login(house.alice)
    answer = client.post(
        url(asked), said(starts="1990-01-01", list=file("changes.csv", listed()))
    )
    assert answer.status_code == 422
    assert "at most 1830 days" in answer.content.decode()
    assert not Population.objects.exists()


def test_a_hundred_thousand_rows_are_one_stream(
    client, house, asked, django_assert_max_num_queries
):
    lines = [f"CHG-{n},{START}" for n in range(MAX_ROWS)]
    body = "\n".join(["key,day", *lines]).encode()
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file("changes.csv", body)))
    token = answer.context["preview"].token
    with django_assert_max_num_queries(49):
        client.post(url(asked, "confirm/"), {"token": token})
    made = Population.objects.get()
    assert made.items.count() == made.row_count == MAX_ROWS
    one_more = file("changes.csv", body + f"\nX,{START}".encode())
    refused = client.post(url(asked), said(list=one_more))
    assert "more than 100,000 rows" in refused.content.decode()


def test_a_rejected_or_withdrawn_population_counts_no_more(
    client, house, asked, population
):
    assert judge(client, house.rita, population, "reject").status_code == 400
    assert judge(client, house.rita, population, "reject", "Gaps").status_code == 302
    assert half(house, asked)[0] == "missing"
    assert "population_rejected" in half(house, asked)[1]
    assert judge(client, house.raul, population).status_code == 409
    assert sample(client, house.olivia, population).status_code == 409
    client.force_login(house.alice)
    again = bring(client, asked, list=file("c.csv", listed(4)))
    assert judge(client, house.alice, again, "withdraw", "Wrong").status_code == 302
    assert "population_rejected" in half(house, asked)[1]
    verbs = AuditEvent.objects.values_list("verb", flat=True)
    assert {"population.rejected", "population.withdrawn"} <= set(verbs)


def test_who_drew_it_does_not_judge_it(client, house, asked, population):
    assert judge(client, house.alice, population).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        PopulationReview.objects.bulk_create(
            [
                PopulationReview(
                    population=population,
                    reviewer=house.alice,
                    drawer=house.alice,
                    decision="accepted",
                )
            ]
        )


def test_a_list_of_many_files_cannot_answer_for_events(client, house, asked):
    client.force_login(house.alice)
    body = f"file,control,performed_on\na.txt,CM-8,{TODAY}\n".encode()
    sent = {"list": file("list.csv", body), "files": [file("a.txt")]}
    answer = client.post("/systems/shop/upload/", sent)
    assert answer.status_code == 422
    assert "asked per event" in answer.content.decode()
