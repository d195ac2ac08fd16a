"""R31: an officer brings the regime's own numbers; they stand beside controls by day.

A table of the user says which control answers to CC6.1 or A.5.15. The list of controls
has a column, a filter and a search for it, the CSV a column, and each number a page: as
good as the worst of its controls.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.crosswalks.rows import read_crosswalk
from controls.models import AuditEvent, Crosswalk, CrosswalkNumber
from evidence.exports.formats.status_csv import lines
from evidence.exports.rows.status_rows import documents
from evidence.status.control_status import control_statuses, moment_of, window_of
from evidence.status.criteria import in_order
from tests import factories
from tests.one_day import TODAY
from tests.sheets import xlsx_bytes

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
TABLE = (
    "Control ID,SOC 2 criterion\n"
    "AC-2,CC6.1; CC6.2\n"
    "PE-3,CC6.4\n"
    "AC-04,CC6.1\n"
    "SI-2(2),CC7.1\n"  # not in the baseline
    "CM-2,\n"
)


def send(browser, system, text=TABLE, name="soc2.csv", **changes):
    """The answer to a table sent by the page."""
    content = text.encode() if isinstance(text, str) else text
    url = reverse("evidence:numbers_upload", args=[system.slug])
    form = {
        "title": "SOC 2",
        "starts_on": str(TODAY - 10 * DAY),
        "file": SimpleUploadedFile(name, content),
    }
    return browser.post(url, form | changes)


def adopted(browser, system, text=TABLE, **changes):
    """The page after a table was sent and adopted."""
    sent = send(browser, system, text, **changes)
    assert sent.status_code == 302, sent.content.decode()
    return browser.post(f"{sent.url}adopt/", {"leave_out": "yes"}, follow=True)


def listed_labels(page):
    return [answer.implementation["label"] for answer in page.context["page"]]


def test_sent_compared_and_adopted(system, oscar, as_user):
    browser = as_user(oscar)
    sent = send(browser, system)
    page = browser.get(sent.url).content.decode()
    assert "3 numbers beside 3 controls" in page
    assert "SI-2(2)" in page  # named as outside the baseline
    assert not Crosswalk.objects.exists()

    done = browser.post(f"{sent.url}adopt/", follow=True)
    assert "“SOC 2” stands beside 3 controls" in done.content.decode()
    assert [c.number for c in done.context["criteria"]] == ["CC6.1", "CC6.2", "CC6.4"]
    again = browser.post(f"{sent.url}adopt/", follow=True).content.decode()
    assert "Nothing was added" in again
    crosswalk = Crosswalk.objects.get()
    events = AuditEvent.objects.of_subject(crosswalk)
    assert [event.verb for event in events] == ["crosswalk.imported"]


def test_the_list_has_a_column_a_filter_and_a_search(system, oscar, as_user):
    browser = as_user(oscar)
    url = reverse("evidence:controls", args=[system.slug])
    assert "Regime's number" not in browser.get(url).content.decode()
    adopted(browser, system)
    page = browser.get(url)
    assert "CC6.1, CC6.2" in page.content.decode()
    assert listed_labels(browser.get(url, {"number": "CC6.1"})) == ["AC-2", "AC-4"]
    assert listed_labels(browser.get(url, {"q": "cc6.4"})) == ["PE-3"]
    assert listed_labels(browser.get(url, {"q": "CC6"})) == []
    control = reverse("evidence:control", args=[system.slug, "ac-2"])
    shown = browser.get(control).content.decode()
    assert reverse("evidence:number", args=[system.slug, "CC6.2"]) in shown


def test_the_csv_has_a_column(system, oscar, as_user):
    adopted(as_user(oscar), system)
    moment = moment_of(system, TODAY, None)
    rows = documents(system, moment, window_of(system))
    text = b"".join(lines(rows)).decode()
    numbers = {
        row["control_id"]: row["regime_numbers"]
        for row in csv.DictReader(io.StringIO(text))
    }
    assert numbers["ac-2"] == "CC6.1; CC6.2"
    assert numbers["cm-2"] == ""


def test_a_number_is_as_good_as_the_worst_of_its_controls(system, oscar, as_user):
    browser = as_user(oscar)
    adopted(browser, system, f"{TABLE}SC-15,CC9.9\nPE-3,CC9.9\n")
    url = reverse("evidence:number", args=[system.slug, "CC6.1"])
    page = browser.get(url)
    criterion = page.context["criterion"]
    keys = [factories.implementation(system, ref).pk for ref in ("ac-2", "ac-4")]
    verdicts = {
        answer.status.verdict
        for answer in control_statuses(system, moment_of(system, TODAY, None), pks=keys)
    }
    assert [a.implementation["label"] for a in criterion.answers] == ["AC-2", "AC-4"]
    assert criterion.verdict == "unproven" in verdicts
    nothing = reverse("evidence:number", args=[system.slug, "CC1.1"])
    assert browser.get(nothing).status_code == 404


def test_pages_about_a_day_show_the_numbers_of_that_day(system, oscar, as_user):
    browser = as_user(oscar)
    before = clock.now()
    adopted(browser, system)
    url = reverse("evidence:controls", args=[system.slug])
    second = f"Control,Number\nPE-3,{'CC6.9'}\n"
    adopted(browser, system, second, title="soc 2", starts_on=str(TODAY))

    def numbers_on(**clocks):
        page = browser.get(url, clocks)
        return {
            answer.implementation["label"]: answer.implementation["regime_numbers"]
            for answer in page.context["page"]
            if answer.implementation["regime_numbers"]
        }

    assert numbers_on() == {"PE-3": ["CC6.9"]}
    yesterday = numbers_on(on=str(TODAY - DAY))
    assert yesterday["AC-2"] == ["CC6.1", "CC6.2"]
    assert yesterday["PE-3"] == ["CC6.4"]
    assert numbers_on(on=str(TODAY - 11 * DAY)) == {}
    assert numbers_on(on=str(TODAY - DAY), known_at=before.isoformat()) == {}
    number = reverse("evidence:number", args=[system.slug, "CC6.1"])
    assert browser.get(number).status_code == 404
    assert browser.get(number, {"on": str(TODAY - DAY)}).status_code == 200


def test_two_tables_stand_side_by_side(system, oscar, as_user):
    browser = as_user(oscar)
    adopted(browser, system)
    iso = xlsx_bytes([["ISO 27001 annex", "Control"], ["A.5.15\nA.8.3", "AC-2; AC-4"]])
    page = adopted(browser, system, iso, name="iso.xlsx", title="ISO 27001")
    assert [c.number for c in page.context["criteria"]][:2] == ["A.5.15", "A.8.3"]
    assert "CC6.1" in page.content.decode()


def test_a_wrong_file_is_replaced_on_the_same_day(system, oscar, as_user):
    """Sent at ten, mended at five past: the wrong one holds on no day."""
    browser = as_user(oscar)
    adopted(browser, system, starts_on=str(TODAY))
    mended = "Control,Number\nAC-2,CC6.3\n"
    sent = send(browser, system, mended, starts_on=str(TODAY))
    page = browser.get(sent.url).content.decode()
    assert f"the version from {TODAY}, which holds on no day" in page
    page = browser.post(f"{sent.url}adopt/", follow=True)
    assert [c.number for c in page.context["criteria"]] == ["CC6.3"]
    assert f"none: replaced before {TODAY} was over" in page.content.decode()
    wrong, right = Crosswalk.objects.order_by("pk")
    assert (wrong.ended_on, right.ended_on) == (TODAY, None)
    assert not wrong.holds_on(TODAY)
    assert right.holds_on(TODAY)


def test_a_version_far_ahead_blocks_no_earlier_one(system, oscar, as_user):
    """What would begin in a year is replaced by what begins tomorrow; today stays."""
    browser = as_user(oscar)
    adopted(browser, system)
    later = "Control,Number\nAC-2,CC9.9\n"
    adopted(browser, system, later, starts_on=str(TODAY + 365 * DAY))
    sooner = "Control,Number\nAC-2,CC6.3\n"
    page = adopted(browser, system, sooner, starts_on=str(TODAY + DAY))
    assert page.status_code == 200
    first, far, soon = Crosswalk.objects.order_by("pk")
    assert first.holds_on(TODAY)
    assert first.ended_on == soon.starts_on == TODAY + DAY
    assert far.never_holds
    assert soon.holds_on(far.starts_on)
    assert AuditEvent.objects.filter(verb="crosswalk.ended").count() == 3


@pytest.mark.parametrize("day", ["0001-01-01", "2201-01-01", "9999-12-31"])
def test_a_day_outside_all_clocks_is_refused(system, oscar, as_user, day):
    answer = send(as_user(oscar), system, starts_on=day)
    assert answer.status_code == 422
    assert f"“{day}” lies outside 1990-01-01 to 2200-12-31." in answer.content.decode()


def test_r31_a_new_version_leaves_days_gone_by_as_they_were(system, oscar, as_user):
    browser = as_user(oscar)
    adopted(browser, system)
    page = adopted(browser, system, starts_on=str(TODAY - DAY))
    assert page.status_code == 422
    assert "A new version holds from today or a later day" in page.content.decode()
    assert Crosswalk.objects.get().ended_on is None


def test_what_a_new_version_leaves_out_is_shown_and_recorded(system, oscar, as_user):
    """A control that is left out no longer pulls its number down: nobody misses it."""
    browser = as_user(oscar)
    adopted(browser, system)
    fewer = "Control,Number\nAC-2,CC6.1\nPE-3,CC6.4\n"
    sent = send(browser, system, fewer, starts_on=str(TODAY))
    page = browser.get(sent.url)
    left = {
        row.implementation.control.label: row.numbers for row in page.context["left"]
    }
    assert left == {"AC-2": ("CC6.2",), "AC-4": ("CC6.1",)}
    assert "What stands no more" in page.content.decode()
    browser.post(f"{sent.url}adopt/")
    event = AuditEvent.objects.get(verb="crosswalk.ended")
    assert json.loads(event.body)["left"] == {"AC-2": ["CC6.2"], "AC-4": ["CC6.1"]}


def test_lines_that_cannot_be_placed_are_named_and_left_out(system, oscar, as_user):
    browser = as_user(oscar)
    text = f"{TABLE}ZZ-9,CC1.1\nwhat,CC1.2\nAC-1,=1+1\n"
    sent = send(browser, system, text)
    page = browser.get(sent.url).content.decode()
    assert "there is no control ZZ-9 in the catalog." in page
    assert "“what” is not the id of a control" in page
    assert "“=1+1” is no number such as CC6.1" in page
    refused = browser.post(f"{sent.url}adopt/")
    assert refused.status_code == 422
    assert not Crosswalk.objects.exists()
    assert adopted(browser, system, text).status_code == 200
    assert CrosswalkNumber.objects.count() == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "No line names the columns"),
        ("Control ID,Number\nZZ-9,CC1.1\n", "1 line is not understood"),
        ("Control ID,Number\nSI-2(2),CC1.1\n", "speaks of no control of this system"),
        ('Control ID,Number\nAC-2,CC1.1\nAC-4,"CC\n', "a quote is opened"),
    ],
)
def test_a_file_that_says_nothing_is_refused(text, sentence, system, oscar, as_user):
    answer = send(as_user(oscar), system, text)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_the_template_can_be_sent_back(system, oscar, as_user):
    url = reverse("evidence:numbers_template", args=[system.slug])
    content = as_user(oscar).get(url).content
    assert len(content.splitlines()) == system.implementations.count() + 1
    assert read_crosswalk(io.BytesIO(content), "t.csv").rows == ()
    filled = content.replace(b"AC-2,,", b"AC-2,A.5.15,")
    (row,) = read_crosswalk(io.BytesIO(filled), "t.csv").rows
    assert (row.control_id, row.number) == ("ac-2", "A.5.15")


def test_numbers_sort_as_people_do():
    numbers = ["CC6.10", "CC6.2", "A.5.15", "8.3", "A.5.2"]
    assert sorted(numbers, key=in_order) == [
        "8.3",
        "A.5.2",
        "A.5.15",
        "CC6.2",
        "CC6.10",
    ]


@pytest.mark.parametrize("who", ["alice", "rita", "audrey"])
def test_others_read_and_do_not_import(who, request, system, oscar, as_user):
    adopted(as_user(oscar), system)
    browser = as_user(request.getfixturevalue(who))
    url = reverse("evidence:numbers", args=[system.slug])
    page = browser.get(url)
    assert page.status_code == 200
    assert "Import a table" not in page.content.decode()
    assert send(browser, system).status_code == 403


def test_many_numbers_cost_as_many_statements_as_one(
    system, oscar, as_user, django_assert_num_queries
):
    browser = as_user(oscar)
    adopted(browser, system)
    url = reverse("evidence:numbers", args=[system.slug])
    browser.get(url)
    with CaptureQueriesContext(connection) as captured:
        browser.get(url)
    few = len(captured)  # counted before another request clears the log
    assert few > 5
    many = "Control,Number\n" + "".join(f"AC-2,A.{n}\nPE-3,B.{n}\n" for n in range(40))
    adopted(browser, system, many, title="Other")
    with django_assert_num_queries(few):
        browser.get(url)
