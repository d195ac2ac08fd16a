"""RE-03, RE-04: a worker that stood still for longer than its lease spoils nothing.

Real processes under a lease of a few seconds, stopped by SIGSTOP at a place that the
test names and let go on by SIGCONT, while its successor is at work.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as configured

from controls.models import AuditEvent
from evidence.exports import jobs
from evidence.exports.files import folder
from evidence.exports.jobs import make_export
from evidence.models import Export
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House
from tests.evidence.storage.test_kill_while_storing import environment
from tests.sign_ins import sign_in_just_now

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LEASE_SECONDS = 4
Start = Callable[[str], subprocess.Popen[bytes]]


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


@pytest.fixture
def start(export) -> Iterator[Start]:
    """Starts a worker on the export; it stops once at the place that is named."""
    workers: list[subprocess.Popen[bytes]] = []

    def started(place: str) -> subprocess.Popen[bytes]:
        module = "tests.evidence.jobs.working_child"
        workers.append(
            subprocess.Popen(
                [sys.executable, "-m", module, make_export.name, str(export.pk)],
                cwd=configured.BASE_DIR,
                env=environment(f"stop:{place}" if place else "")
                | {"EXPORT_LEASE_SECONDS": str(LEASE_SECONDS)},
            )
        )
        return workers[-1]

    yield started
    for worker in workers:
        with suppress(ProcessLookupError):
            worker.kill()
        worker.wait()


def stands_still(worker: subprocess.Popen[bytes]) -> None:
    """Return once the worker is stopped; fail when it ended instead."""
    _, status = os.waitpid(worker.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), f"it ended with {os.waitstatus_to_exitcode(status)}"


def goes_on(worker: subprocess.Popen[bytes]) -> None:
    """Let it go on; it ends well."""
    worker.send_signal(signal.SIGCONT)
    assert worker.wait(120) == 0


def lease_runs_out() -> None:
    time.sleep(LEASE_SECONDS + 0.5)


def the_right_bytes(export: Export) -> bytes:
    """What a worker whom nothing happens to makes of the same instant."""
    again = jobs.request_export(
        export.system, by=export.requested_by, on=export.on, known_at=export.known_at
    )
    make_export(again.pk)
    again.refresh_from_db()
    with jobs.open_file(again) as file:
        right = file.read()
    (folder() / again.file_name).unlink()
    return right


def downloaded(client, export: Export) -> bytes:
    answer = client.get(f"/exports/{export.uuid}/download/")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize(
    ("place", "beside"),
    [
        ("export-reading", "export-begun"),
        ("export-begun", "export-begun"),
        ("export-begun", "export-written"),
        ("export-written", "export-reading"),
    ],
)
def test_it_wakes_beside_its_successor(client, export, start, place, beside) -> None:
    """One right file is left, and one outcome, that of the successor."""
    first = start(place)
    stands_still(first)
    lease_runs_out()
    second = start(beside)
    stands_still(second)

    goes_on(first)
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("running", 2)
    goes_on(second)

    export.refresh_from_db()
    assert (export.state, export.attempts, export.failure) == ("done", 2, "")
    assert [path.name for path in folder().iterdir()] == [export.file_name]
    assert downloaded(client, export) == the_right_bytes(export)
    outcomes = AuditEvent.objects.filter(verb="export.done", subject_uuid=export.uuid)
    assert outcomes.count() == 1


def test_it_wakes_once_its_successor_is_done(client, export, start) -> None:
    first = start("export-begun")
    stands_still(first)
    lease_runs_out()
    assert start("").wait(120) == 0
    made = [path.name for path in folder().iterdir()]
    goes_on(first)
    export.refresh_from_db()
    assert [path.name for path in folder().iterdir()] == made == [export.file_name]
    assert downloaded(client, export) == the_right_bytes(export)


def test_the_lease_is_renewed_while_rows_are_read(export, start, owner_dsn) -> None:
    """A query of several leases is waited for: nobody takes the export meanwhile."""
    worker = start("export-reading")
    stands_still(worker)
    with psycopg.connect(owner_dsn) as locking:
        locking.execute("LOCK TABLE evidence_proof IN ACCESS EXCLUSIVE MODE")
        worker.send_signal(signal.SIGCONT)
        for _ in range(2):
            lease_runs_out()
            assert start("").wait(120) == 0, "there was nothing for it to do"
            export.refresh_from_db()
            assert (export.state, export.attempts) == ("running", 1)
        locking.rollback()
    assert worker.wait(120) == 0
    export.refresh_from_db()
    assert (export.state, export.attempts, export.failure) == ("done", 1, "")
