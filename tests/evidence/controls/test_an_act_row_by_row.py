"""An act on more rows than one request carries out: a job with a result for each row.

R18, R31: each row by the verb of one; AU-01: an event for each; AC-01: who has lost the
right stops it; a worker that dies repeats nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from controls.models import AuditEvent, Membership
from evidence.bulk_acts import runs
from evidence.bulk_acts.change_of_asks import ChangeOfAsks
from evidence.jobs.work import work_on
from evidence.models import BulkActRun
from tests.evidence.controls.test_act_on_many import choose, confirm, token_of, words
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
WEEKLY = {"cadence": "weekly"}


@pytest.fixture
def officer(oscar: Any, system: Any, settings: Any, tmp_path: Any) -> Client:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return sign_in_just_now(Client(), oscar)


@pytest.fixture
def run(officer: Client, monkeypatch: Any) -> BulkActRun:
    """A confirmed act on all asks, of which a request carries out two."""
    monkeypatch.setattr(ChangeOfAsks, "at_once", 2)
    monkeypatch.setattr(runs, "SLICE", 3)
    preview = officer.post(choose(officer, "cadence"), WEEKLY)
    page = words(confirm(officer, "cadence", preview))
    made = BulkActRun.objects.get()
    assert len(made.rows) > 3
    assert f"{len(made.rows)} rows are being worked on, one by one." in page
    assert f"0 of {len(made.rows)} are through." in page
    again = officer.post(
        "/systems/payments/many/cadence/confirm/", {"token": token_of(preview)}
    )
    assert again["Location"] == runs.page_of(made)
    assert BulkActRun.objects.count() == 1
    assert changed() == 0
    return made


def changed() -> int:
    return AuditEvent.objects.filter(verb="requirement.changed").count()


def test_each_row_has_its_result(run, officer, system, alice) -> None:
    was_otherwise = [[run.rows[0][0], "as it was then"], *run.rows[1:]]
    BulkActRun.objects.update(rows=was_otherwise)
    assert work_on(runs.RUNS, run.pk)
    run.refresh_from_db()
    number = len(run.rows)
    assert (run.state, run.done_rows, len(run.results)) == ("done", number, number)
    assert run.results[0][2:] == ["refused", runs.CHANGED]
    assert {result[2] for result in run.results[1:]} == {"done"}
    assert changed() == number - 1
    assert AuditEvent.objects.filter(verb="bulk_act.begun").count() == 1
    page = officer.get(runs.page_of(run))
    assert f"Done: {number - 1} rows are as the preview said, 1 left" in words(page)
    assert "every 2s" not in page.content.decode()
    assert sign_in_just_now(Client(), alice).get(runs.page_of(run)).status_code == 404


def test_a_worker_that_dies_repeats_nothing(run, monkeypatch) -> None:
    true, calls = runs._result, []

    def dies_once(*args: Any) -> list[str]:
        calls.append(args)
        if len(calls) == 5:
            raise RuntimeError("The machine is gone.")
        return true(*args)

    monkeypatch.setattr(runs, "_result", dies_once)
    work_on(runs.RUNS, run.pk)
    run.refresh_from_db()
    assert (run.done_rows, run.state, changed()) == (3, "running", 3)
    BulkActRun.objects.update(due_at=None)
    work_on(runs.RUNS, run.pk)
    run.refresh_from_db()
    assert (run.state, changed()) == ("done", len(run.rows))


def test_who_has_lost_the_right_stops_it(run, officer, oscar) -> None:
    Membership.objects.filter(user=oscar).update(role="reviewer")
    work_on(runs.RUNS, run.pk)
    run.refresh_from_db()
    assert (run.state, run.done_rows, changed()) == ("failed", 0, 0)
    assert AuditEvent.objects.filter(verb="bulk_act.failed").count() == 1
    page = words(officer.get(runs.page_of(run)))
    assert f"It stopped after 0 of {len(run.rows)}:" in page
