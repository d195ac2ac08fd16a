"""RE-04, AU-09: a package that broke off is made anew, whole; nothing is left of it."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.db import connection

from evidence.exports.files import folder as export_folder
from evidence.exports.jobs import cancel, make_export, open_file, request_export
from evidence.models import Export
from evidence.signing.keys import signing_key
from evidence.storage import failpoints
from tests.disks import open_files_below, small_disk
from tests.evidence.exports import everything, packages
from tests.evidence.house import TODAY, House
from tests.evidence.storage.test_kill_while_storing import environment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    built = everything.build(settings, tmp_path / "store")
    everything.with_population(built)
    return built


def asked(house: House) -> Export:
    return request_export(
        house.system, by=house.ray, on=TODAY, format_name="package", key="one"
    )


def bytes_of(export: Export) -> bytes:
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    with open_file(export) as file:
        return file.read()


def test_a_worker_killed_on_the_way_leaves_it_to_the_next_one(house, tmp_path) -> None:
    export = asked(house)
    command = [
        sys.executable,
        "-m",
        "tests.evidence.jobs.working_child",
        make_export.name,
        str(export.pk),
    ]
    done = subprocess.run(
        command,
        cwd=configured.BASE_DIR,
        env=environment("export-begun"),
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    (left,) = export_folder().glob("*.partial")
    assert Export.objects.filter(state="running").update(leased_until=PAST) == 1

    make_export(export.pk)

    whole = tmp_path / "p.zip"
    whole.write_bytes(bytes_of(export))
    assert packages.faults(whole) == []
    assert not left.exists()
    assert [path.name for path in export_folder().iterdir()] == [export.file_name]


def test_a_full_disk_leaves_nothing_and_it_is_made_once_there_is_space(
    house, tmp_path, settings
) -> None:
    with small_disk(tmp_path / "small", megabytes=16) as disk:
        settings.WORK_FOLDER = str(disk.folder)
        signing_key()
        export = asked(house)
        for room in (0, 40_000, 120_000):  # at its first byte, and in its midst
            disk.fill(but=room)
            make_export(export.pk)
            export.refresh_from_db()
            assert (export.state, export.attempts) == ("queued", 0), room
            assert "no space left for the files of exports" in export.failure
            assert list(export_folder().iterdir()) == []
            assert open_files_below(disk.folder) == []
            disk.free()
            Export.objects.update(due_at=None)
        make_export(export.pk)
        whole = tmp_path / "p.zip"
        whole.write_bytes(bytes_of(export))
        assert packages.faults(whole) == []


def test_a_killed_process_of_its_exports_fails_the_attempt_by_name(
    house, monkeypatch, tmp_path
) -> None:
    """The next attempt makes it; a command says the same, and leaves nothing."""
    export = asked(house)
    with monkeypatch.context() as patches:
        patches.setattr(failpoints, "ARMED", "export-beside-status-report.pdf")
        make_export(export.pk)
        target = tmp_path / "by-command.zip"
        with pytest.raises(CommandError, match=r"status-report\.pdf.*SIGKILL"):
            call_command("export", "shop", "package", "--output", str(target))
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("queued", 1)
    assert "“status-report.pdf”" in export.failure
    assert "was ended by SIGKILL" in export.failure
    assert list(export_folder().iterdir()) == []
    assert not list(tmp_path.glob("*by-command*"))
    Export.objects.update(due_at=None)

    make_export(export.pk)

    whole = tmp_path / "p.zip"
    whole.write_bytes(bytes_of(export))
    assert packages.faults(whole) == []


def test_a_cancelled_package_ends_the_process_of_its_exports(
    house, monkeypatch
) -> None:
    """It is stopped for good; who works on the package hears of the cancellation."""
    export = asked(house)
    monkeypatch.setattr(failpoints, "ARMED", "stop:export-beside-control-status.csv")
    canceller = threading.Thread(target=cancelled_once_running, args=[export, house])
    canceller.start()
    make_export(export.pk)
    canceller.join()
    export.refresh_from_db()
    assert (export.state, export.file_name) == ("cancelled", "")
    assert list(export_folder().iterdir()) == []
    assert stopped_children() == []


def stopped_children() -> list[int]:
    """Children of this process that somebody stopped and nobody ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state == "T" and int(parent) == os.getpid():
                found.append(int(path.parent.name))
    return found


def cancelled_once_running(export: Export, house: House) -> None:
    try:
        while Export.objects.get(pk=export.pk).state != "running":
            time.sleep(0.05)
        cancel(export, by=house.ray)
    finally:
        connection.close()
