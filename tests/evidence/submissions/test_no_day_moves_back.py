"""R14: no backdating but by a correction with a reason that the auditor sees."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from controls.errors import Refused
from evidence.models import EvidenceRevision, RequirementControl
from evidence.submissions.revise import revise
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence.house import file
from tests.factories import set_terms

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 20)
LATE, IN_TIME = dt.date(2026, 11, 19), dt.date(2026, 9, 30)
LARGE, COMMON = b"x" * 65, b"x" * 64


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)


@pytest.fixture
def asked(system) -> RequirementControl:
    row = factories.requirement(system, "si-2")
    set_terms(
        RequirementControl.objects.filter(pk=row.pk), cadence="monthly", grace_days=5
    )
    return factories.requirement(system, "si-2")


def september(performed: dt.date) -> Submission:
    return Submission(
        "Patches", performed, dt.date(2026, 9, 1), dt.date(2026, 9, 30), performed
    )


def bring(asked, alice, performed: dt.date, content: bytes):
    upload = store("report.txt", [content])
    return submit(
        september(performed), [upload], requirement=asked, by=alice, today=TODAY
    )


def revised(link, alice, kind: str, performed: dt.date) -> EvidenceRevision:
    return revise(
        link.revision.evidence,
        september(performed),
        [store("more.txt", [b"more"])],
        kind=kind,
        reason="The ticket shows 30 September.",
        by=alice,
        today=TODAY,
    )


def test_an_addition_moves_no_day_back(asked, alice):
    """R14: an addition to what was performed late makes nothing timely."""
    link = bring(asked, alice, LATE, LARGE)
    with pytest.raises(Refused, match="Only a correction names an earlier day"):
        revised(link, alice, "addition", IN_TIME)
    assert revised(link, alice, "addition", LATE).performed_on == LATE


def test_a_correction_does_and_everybody_sees_why(asked, alice, audrey, as_user):
    """R14: by a correction with a reason, which stands beside it for the auditor."""
    link = bring(asked, alice, LATE, LARGE)
    assert revised(link, alice, "correction", IN_TIME).performed_on == IN_TIME
    page = as_user(audrey).get(f"/evidence/{link.revision.evidence.uuid}/")
    shown = page.content.decode()
    assert "The ticket shows 30 September." in shown
    assert "2026-11-19" in shown and "2026-09-30" in shown


def test_the_same_file_brought_anew_moves_no_day_back(asked, alice):
    """R14: nor does uploading the same bytes for the same period once more."""
    bring(asked, alice, LATE, LARGE)
    with pytest.raises(Refused, match=r"performed on 2026-11-19\. Correct"):
        bring(asked, alice, IN_TIME, LARGE)
    bring(asked, alice, LATE, LARGE)


def test_empty_exports_are_alike_and_other_periods_are_their_own(asked, alice):
    """R17: up to 64 bytes say nothing of who made them, or when."""
    bring(asked, alice, LATE, COMMON)
    bring(asked, alice, IN_TIME, COMMON)
    later = Submission(
        "October", dt.date(2026, 10, 31), dt.date(2026, 10, 1), dt.date(2026, 10, 31),
        dt.date(2026, 10, 31),
    )  # fmt: skip
    upload = store("october.txt", [LARGE])
    submit(later, [upload], requirement=asked, by=alice, today=TODAY)
    bring(asked, alice, IN_TIME, LARGE)
    brought = asked.links.order_by("pk").values_list(
        "revision__performed_on", flat=True
    )
    assert list(brought) == [LATE, IN_TIME, dt.date(2026, 10, 31), IN_TIME]


def test_the_form_says_so_at_the_day(asked, alice, as_user, monkeypatch):
    """R14: the upload page refuses it, and names what to correct."""
    bring(asked, alice, LATE, LARGE)
    monkeypatch.setattr("evidence.views.uploads.today_of", lambda system: TODAY)
    url = f"/systems/payments/requirements/{asked.uuid}/upload/"
    said = {
        "title": "Patches",
        "performed_on": IN_TIME,
        "period_start": dt.date(2026, 9, 1),
        "period_end": IN_TIME,
        "collected_on": IN_TIME,
        "sensitivity": "internal",
        "files": file("again.txt", LARGE),
        "again": "yes",  # the same file a second time, on purpose
    }
    answer = as_user(alice).post(url, said)
    assert answer.status_code == 400
    assert "Correct that one" in answer.content.decode()
