"""No answer grows with all that was ever recorded: it has pages, or the newest rows.

Lists come in pages; what is left out of an answer has an address of its own.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from evidence.exports.formats.status_csv import lines
from evidence.exports.rows import status_rows
from evidence.exports.rows.status_rows import documents
from evidence.models import EvidenceLink
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from evidence.views import systems as system_pages
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db
CONTROLS = reverse("system-controls", args=["shop"])
CM8 = reverse("system-control", args=["shop", "cm-8"])
ALL_OF_CM8 = reverse("system-control-evidence", args=["shop", "cm-8"])


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


def brought(house: House, days_ago: int) -> EvidenceLink:
    """Evidence for CM-8, performed and accepted some days ago."""
    day = TODAY - dt.timedelta(days=days_ago)
    submission = Submission(
        title=f"{days_ago} days ago",
        performed_on=day,
        period_start=day,
        period_end=day,
        collected_on=day,
    )
    link = submit(
        submission,
        [store("report.txt", [f"{days_ago}".encode()])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    link.accept(by=house.rita)
    return link


def sha256_of(link: EvidenceLink) -> bytes:
    """The digest of its file, as the CSV names it."""
    return link.revision.files.get().blob.sha256.encode()


def titles(answer) -> list[str]:
    return [row["title"] for row in answer["evidence"]]


def test_controls_come_in_pages_in_the_catalogs_order(client, house):
    client.force_login(house.ray)
    address, pages = f"{CONTROLS}?page_size=3", []
    while address:
        page = client.get(address).json()
        pages.append([row["control_id"] for row in page["results"]])
        address = page["next"]
    assert pages == [["ac-1", "cm-8", "pe-3"], ["si-2"]]


def test_evidence_is_that_of_the_window_and_the_newest_comes_first(client, house):
    for days_ago in (500, 300, 20, 40):
        brought(house, days_ago)
    client.force_login(house.ray)
    answer = client.get(CM8).json()
    assert titles(answer) == ["20 days ago", "40 days ago", "300 days ago"]
    assert not answer["more_evidence"]


def test_what_still_proves_in_the_window_is_of_the_window(client, house):
    """A performance before the window's first day may carry into it (R13)."""
    link = brought(house, 430)
    assert link.proves_to >= house.system.window_start
    client.force_login(house.ray)
    assert titles(client.get(CM8).json()) == ["430 days ago"]


def test_more_is_said_and_has_an_address_with_all_of_it(client, house, monkeypatch):
    monkeypatch.setattr("evidence.api.systems.MAX_EVIDENCE", 2)
    monkeypatch.setattr("evidence.api.systems.NEWEST_IN_LIST", 1)
    for days_ago in (500, 30, 20, 10):
        brought(house, days_ago)
    client.force_login(house.ray)
    answer = client.get(CM8).json()
    assert titles(answer) == ["10 days ago", "20 days ago"]
    assert answer["more_evidence"]
    rows = client.get(CONTROLS).json()["results"]
    (listed,) = [row for row in rows if row["control_id"] == "cm-8"]
    assert titles(listed) == ["10 days ago"]
    whole = client.get(answer["evidence_url"]).json()
    assert len(whole["results"]) == 4
    assert whole["results"][0]["title"] == "10 days ago"
    first = client.get(ALL_OF_CM8, {"page_size": 3}).json()
    assert len(client.get(first["next"]).json()["results"]) == 1


def test_evidence_is_left_out_on_asking(client, house):
    brought(house, 10)
    client.force_login(house.ray)
    assert titles(client.get(CM8, {"evidence": "none"}).json()) == []
    refused = client.get(CM8, {"evidence": "every"})
    assert refused.status_code == 400
    assert "newest or none" in refused.content.decode()


def test_the_file_says_that_older_evidence_is_not_listed(house, monkeypatch):
    monkeypatch.setattr(status_rows, "MAX_EVIDENCE", 1)
    older, newer = brought(house, 20), brought(house, 10)
    window = (house.system.window_start, house.system.window_end)
    rows = documents(house.system, Moment(TODAY), window, newest=1)
    (line,) = [line for line in lines(rows) if line.startswith(b"cm-8,")]
    assert sha256_of(newer) in line
    assert sha256_of(older) not in line
    assert b"older evidence of the window is not listed" in line


@pytest.mark.parametrize("address", [CONTROLS, CM8, ALL_OF_CM8])
def test_an_answer_takes_the_same_statements_for_one_piece_and_for_many(
    client, house, address
):
    client.force_login(house.ray)
    counts = []
    for days in ((40,), (50, 60, 70, 10)):
        for days_ago in days:
            brought(house, days_ago)
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_page_takes_the_same_statements_for_one_control_and_for_many(client, house):
    brought(house, 10)
    client.force_login(house.ray)
    client.get(CONTROLS)
    counts = []
    for size in (2, 4):
        with CaptureQueriesContext(connection) as captured:
            page = client.get(CONTROLS, {"page_size": size}).json()
        assert len(page["results"]) == size
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_an_ended_window_reads_controls_once_and_reports_once(house):
    """Its last day needs the controls of that day besides, not the reports again."""
    ended = (TODAY - dt.timedelta(days=390), TODAY - dt.timedelta(days=25))
    with CaptureQueriesContext(connection) as captured:
        answers = control_statuses(house.system, Moment(TODAY), window=ended)
    assert all(answer.period.result for answer in answers)
    texts = [query["sql"] for query in captured]
    reports = [text for text in texts if "FROM evidence_artifactversion v" in text]
    controls = [text for text in texts if "AS override_until" in text]
    assert (len(reports), len(controls)) == (1, 2)


def test_the_list_of_systems_judges_those_of_its_page_only(client, house, monkeypatch):
    """Two pages of one system each: each system is on one of them."""
    monkeypatch.setattr(system_pages, "SYSTEMS_PER_PAGE", 1)
    other = factories.make_system(house.olivia, slug="annex")
    client.force_login(house.olivia)
    names = {house.system.name, other.name}
    shown = []
    for number in (1, 2):
        for route in ("evidence:systems", "evidence:windows"):
            answer = client.get(reverse(route), {"page": number})
            shown.append({row.system.name for row in answer.context["rows"]})
    assert shown[0] == shown[1]
    assert shown[2] == shown[3]
    assert shown[0] | shown[2] == names
    assert len(shown[0]) == 1
    assert "Page 1 of 2" in client.get(reverse("evidence:systems")).content.decode()
