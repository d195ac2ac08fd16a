"""An export is made once, whatever becomes of its workers, and says why when not."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured

from controls import clock
from controls.history.clock import knowledge_now, wait_for_older_writers
from controls.models import AuditEvent
from evidence.exports import jobs
from evidence.exports.files import folder, sweep_files
from evidence.exports.formats import status_csv
from evidence.exports.jobs import EXPORTS, make_export
from evidence.exports.rows import scope
from evidence.jobs import heartbeat
from evidence.jobs.work import sweep
from evidence.models import Export
from evidence.tasks import sweep_store
from tests.evidence import house as houses
from tests.evidence.exports import on_the_way
from tests.evidence.house import TODAY, House
from tests.evidence.jobs.chores import in_another_connection
from tests.evidence.storage.test_kill_while_storing import environment
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db(transaction=True)
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def export(client, house) -> Export:
    """Asked for on the page by ray, who stays signed in."""
    sign_in_just_now(client, house.ray)
    client.post("/exports/request/", {"system": "shop", "on": TODAY.isoformat()})
    return Export.objects.get()


def page(client) -> str:
    return " ".join(client.get("/exports/").content.decode().split())


def names() -> list[str]:
    return sorted(path.name for path in folder().iterdir())


def rows_of(client, export: Export) -> list[list[str]]:
    answer = client.get(f"/exports/{export.uuid}/download/")
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))


def lease_lapses() -> None:
    assert Export.objects.filter(state="running").update(leased_until=PAST) == 1


def made_in_a_child(export: Export, failpoint: str) -> int:
    """The exit code of a worker; -9 when it was killed."""
    command = [
        sys.executable,
        "-m",
        "tests.evidence.jobs.working_child",
        make_export.name,
        str(export.pk),
    ]
    done = subprocess.run(
        command, cwd=configured.BASE_DIR, env=environment(failpoint), check=False
    )
    return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize("failpoint", ["export-begun", "export-written"])
def test_killed_on_the_way_it_is_made_by_the_next_worker(client, export, failpoint):
    """RE-04: what a killed worker held is taken up again."""
    assert made_in_a_child(export, failpoint) == -signal.SIGKILL
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("running", 1)
    (left,) = names()
    make_export(export.pk)
    assert sweep(EXPORTS) == 0, "its lease holds"

    lease_lapses()
    assert sweep(EXPORTS) == 1
    make_export(export.pk)

    export.refresh_from_db()
    assert (export.state, export.attempts, export.failure) == ("done", 2, "")
    assert names() == [export.file_name]
    assert left != export.file_name
    assert len(rows_of(client, export)) == 5
    assert AuditEvent.objects.filter(verb="export.done").count() == 1


def test_whose_lease_was_taken_leaves_neither_bytes_nor_outcome(
    client, export, monkeypatch
):
    write_file = jobs.write_file
    written = []

    def write_and_sleep(*args: Any) -> Any:
        result = write_file(*args)
        written.append(result.name)
        if len(written) == 1:  # the first worker stalls, a second one is faster
            lease_lapses()
            in_another_connection(lambda: make_export(export.pk) or True)
        return result

    monkeypatch.setattr(jobs, "write_file", write_and_sleep)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("done", 2)
    assert export.file_name == written[1]
    assert names() == [written[1]]
    assert len(rows_of(client, export)) == 5
    assert AuditEvent.objects.filter(verb="export.done").count() == 1


def test_cancelled_while_it_is_written_no_bytes_are_left(client, export, monkeypatch):
    cancel = partial(client.post, f"/exports/{export.uuid}/cancel/")
    on_the_way.after_two_lines(monkeypatch, cancel)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("cancelled", None)
    assert names() == []
    assert not AuditEvent.objects.filter(verb__in=["export.done", "export.failed"])


def test_a_cancelled_one_is_not_written_to_its_end(client, export, monkeypatch):
    """However long the file is, its worker stops at the next beat."""
    cancel = partial(client.post, f"/exports/{export.uuid}/cancel/")
    written = on_the_way.without_end(monkeypatch, cancel)
    make_export(export.pk)
    export.refresh_from_db()
    assert export.state == "cancelled"
    assert 0 < len(written) < on_the_way.MAX_LINES
    assert names() == []


def test_cancelled_once_it_is_written_no_bytes_are_left(client, export, monkeypatch):
    write_file = jobs.write_file

    def write_and_cancel(*args: Any) -> Any:
        result = write_file(*args)
        client.post(f"/exports/{export.uuid}/cancel/")
        return result

    monkeypatch.setattr(jobs, "write_file", write_and_cancel)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.file_name) == ("cancelled", "")
    assert names() == []


def test_given_up_the_page_says_why_and_the_log_keeps_it(client, export, monkeypatch):
    def full(*args: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(status_csv, "lines", full)
    for _ in range(3):
        make_export(export.pk)
        Export.objects.update(due_at=None)
    assert "Given up after 3 attempts. No space left on device." in page(client)
    export.refresh_from_db()
    assert export.state == "failed"
    assert export.finished_at is not None
    assert names() == []
    event = AuditEvent.objects.get(verb="export.failed")
    assert "No space left on device." in event.body


def test_what_only_has_to_wait_spends_no_attempt(client, export, monkeypatch):
    monkeypatch.setattr(scope, "wait_for_older_writers", lambda instant: False)
    for _ in range(5):
        make_export(export.pk)
        Export.objects.update(due_at=None)
    export.refresh_from_db()
    assert (export.state, export.attempts, export.waits) == ("queued", 0, 5)
    assert "Waiting until what was begun before" in page(client)
    monkeypatch.undo()
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")


def test_a_report_of_progress_is_shown_and_renews_the_lease(
    client, export, monkeypatch
):
    """The page counts rows while they are written; nobody else takes the job."""
    monkeypatch.setattr(heartbeat, "REPORT_SECONDS", 0.01)
    before, lines = [], status_csv.lines

    def watched(*args: Any, **options: Any) -> Any:
        before.append(in_another_connection(lambda: Export.objects.get()))
        for number, line in enumerate(lines(*args, **options)):
            yield line
            if number == 3:
                shown.append(in_another_connection(third_row_shown))

    def third_row_shown() -> Any:
        for _ in range(1000):
            now = Export.objects.get()
            if now.done_rows == 3:
                return now, page(client)
            time.sleep(0.005)
        raise AssertionError(now.done_rows)

    shown: list[Any] = []
    monkeypatch.setattr(status_csv, "lines", watched)
    make_export(export.pk)
    ((on_the_way, its_page),) = shown
    assert on_the_way.leased_until > before[0].leased_until
    assert "3 of 4" in its_page
    export.refresh_from_db()
    assert (export.state, export.done_rows, export.total_rows) == ("done", 4, 4)


@pytest.mark.usefixtures("machine_time")  # the age of a file
def test_files_that_no_export_names_go_after_a_day(client, export):
    make_export(export.pk)
    export.refresh_from_db()
    stray = folder() / f"{export.uuid}-0.partial"
    stray.write_bytes(b"half a li")
    assert sweep_files(clock.now()) == 0
    long_ago = clock.now().timestamp() - 90_000
    for name in names():
        os.utime(folder() / name, (long_ago, long_ago))
    sweep_store()
    assert names() == [export.file_name]


@pytest.mark.parametrize("role", ["app_dsn", "owner_dsn"])
def test_a_writer_of_any_role_is_waited_for(client, export, monkeypatch, request, role):
    """Part of what it says at its instant may still be uncommitted."""
    at_once = partial(wait_for_older_writers, seconds=0)
    monkeypatch.setattr(scope, "wait_for_older_writers", at_once)
    with psycopg.connect(request.getfixturevalue(role)) as writer:
        writer.execute("SELECT pg_current_xact_id()")  # one that writes
        Export.objects.update(known_at=knowledge_now())
        make_export(export.pk)
        export.refresh_from_db()
        assert (export.state, export.waits) == ("queued", 1)
        assert names() == []
        writer.rollback()
    Export.objects.update(due_at=None)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")


@pytest.mark.parametrize(("spoil", "told"), [(b"\0", "is damaged"), (None, "is gone")])
@pytest.mark.parametrize("door", ["/exports/{}/download/", "/api/v1/exports/{}/file/"])
def test_other_bytes_than_written_are_never_served(client, export, door, spoil, told):
    """AC-11: no row of a download, and no bytes, when they are not the right ones."""
    make_export(export.pk)
    export.refresh_from_db()
    path = folder() / export.file_name
    if spoil is None:
        path.unlink()
    else:
        path.write_bytes(spoil * 3 + path.read_bytes()[3:])
    answer = client.get(door.format(export.uuid))
    assert answer.status_code >= 400
    assert told in answer.content.decode()
    assert not AuditEvent.objects.filter(verb="export.downloaded").exists()


def test_who_lost_the_role_on_the_way_gets_no_file(export, house, monkeypatch):
    """AC-10: the requester's rights count at delivery as at the start."""
    write_file = jobs.write_file

    def write_and_lose(*args: Any) -> Any:
        result = write_file(*args)
        house.ray.memberships.update(ends_at=clock.now())
        return result

    monkeypatch.setattr(jobs, "write_file", write_and_lose)
    make_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.file_name) == ("failed", "")
    assert "no longer" in export.failure
    assert names() == []
