"""R14: a missed period stays askable; pages offer the oldest open one first."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from evidence.models import RequirementControl
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.factories import set_terms

pytestmark = pytest.mark.django_db

D = dt.date


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)


@pytest.fixture
def asked(system, alice, rita) -> RequirementControl:
    """“Patch report”, monthly, grace 5: January to July on time and accepted."""
    row = factories.requirement(system, "si-2")
    set_terms(
        RequirementControl.objects.filter(pk=row.pk),
        cadence="monthly",
        grace_days=5,
        title="Patch report",
        operates_from=D(2026, 1, 1),
    )
    row.refresh_from_db()
    for month in range(1, 8):
        bring(row, alice, month, D(2026, month, 28)).accept(by=rita)
    return row


def bring(asked, alice, month: int, performed: dt.date):
    """Evidence about a month of 2026; the day of the test is far enough."""
    last = D(2026, month + 1, 1) - dt.timedelta(days=1)
    said = Submission(f"Patches {month}", performed, D(2026, month, 1), last, performed)
    upload = store("report.txt", [f"{month} {performed}".encode()])
    return submit(said, [upload], requirement=asked, by=alice, today=D(2026, 12, 31))


def offered(browser) -> list[str]:
    """The open periods of “Patch report” in My work, in their order: the oldest in the
    column of its own with how late it is, the others folded."""
    page = " ".join(browser.get("/work/").content.decode().split())
    row = page[page.index("Patch report </span>") :]
    oldest = re.search(r'data-label="Open:"> <span class="nowrap">([^<]*)<', row)
    late = re.search(r'class="late nowrap">(\d+ days overdue)</span>', row)
    assert oldest and late
    folded = row[: row.index('data-label="Due:"')]
    others = re.findall(r"\?period=[^>]*>([^<]*)</a>", folded)
    return [f"{oldest[1]}: {late[1]}", *others]


def test_my_work_offers_the_oldest_first(as_user, alice, asked, on_day):
    """R14, scenario 16: on 19 October August first, 44 days overdue, then September."""
    on_day(D(2026, 10, 19))
    assert offered(as_user(alice)) == [
        "August 2026: 44 days overdue",
        "September 2026: 14 days overdue",
    ]


def test_what_waits_for_review_is_not_asked_again(as_user, alice, asked, on_day):
    """R14, scenario 16: on 21 October August waits, September is first."""
    bring(asked, alice, 8, D(2026, 9, 3))
    on_day(D(2026, 10, 21))
    assert offered(as_user(alice)) == ["September 2026: 16 days overdue"]


def test_a_rejected_one_is_asked_again(as_user, alice, rita, asked, on_day):
    """R14: nothing was brought that stands."""
    bring(asked, alice, 8, D(2026, 9, 3)).reject(by=rita, reason="No date")
    on_day(D(2026, 10, 19))
    assert offered(as_user(alice))[0] == "August 2026: 44 days overdue"


def test_what_is_up_to_date_still_shows_what_is_missing(
    as_user, alice, rita, asked, on_day
):
    """R14: October accepted proves the present; August and September stay askable."""
    bring(asked, alice, 10, D(2026, 10, 31)).accept(by=rita)
    on_day(D(2026, 11, 6))
    assert [row.partition(":")[0] for row in offered(as_user(alice))] == [
        "August 2026",
        "September 2026",
    ]


def test_the_upload_form_begins_with_the_oldest(as_user, alice, asked, monkeypatch):
    """R14: the form's days are those of the oldest open period, or of the chosen."""
    monkeypatch.setattr(
        "evidence.views.uploads.today_of", lambda system: D(2026, 10, 19)
    )
    browser = as_user(alice)
    url = f"/systems/payments/requirements/{asked.uuid}/upload/"
    form = browser.get(url).context["form"]
    assert form.initial["period_start"] == D(2026, 8, 1)
    assert form.initial["period_end"] == D(2026, 8, 31)
    answer = browser.get(url, {"period": "2026-09-01"})
    assert answer.context["form"].initial["period_start"] == D(2026, 9, 1)
    page = answer.content.decode()
    assert "August 2026: 44 days overdue" in page
    form = browser.get(url, {"period": "2026-07-01"}).context["form"]
    assert form.initial["period_start"] == D(2026, 8, 1)  # July was answered
