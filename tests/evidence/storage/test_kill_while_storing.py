"""RE-01: killed at any step of storing, no record is without its bytes."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as configured
from django.db import connection

from controls import clock
from evidence.models import Blob, Evidence
from evidence.storage import open_store
from evidence.storage.fsck import check_store
from evidence.storage.sweep import sweep_store
from tests.evidence import house as houses
from tests.evidence.house import House, submitted_as_it_comes

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    # of files and of the child, which is another process
    pytest.mark.usefixtures("machine_time"),
]
BEFORE_THE_NAME = ("after-temp-write", "after-fsync", "before-insert", "after-insert")
WITH_THE_NAME = ("before-commit",)
IN_A_FOLDER = (*BEFORE_THE_NAME, "after-link", "after-folder-fsync", *WITH_THE_NAME)
IN_A_BUCKET = ("after-fsync", "after-put", "before-commit")


@pytest.fixture
def folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)


def environment(failpoint: str) -> dict[str, str]:
    """What the child needs to work in this test's database and store."""
    here = connection.settings_dict
    login = f"{quote(here['USER'])}:{quote(here['PASSWORD'])}"
    names = ("EVIDENCE_STORE", "EVIDENCE_S3_ENDPOINT", "EVIDENCE_S3_REGION")
    return {
        **os.environ,
        **{name: str(getattr(configured, name)) for name in (*names, "WORK_FOLDER")},
        "DATABASE_URL": (
            f"postgresql://{login}@{here['HOST']}:{here['PORT']}/{here['NAME']}"
        ),
        "SRM_FAILPOINT": failpoint,
    }


def store_in_a_child(house: House, failpoint: str) -> int:
    """The exit code of a process that stores “proof”; -9 when it was killed."""
    asked = house.requirement()
    command = ["-m", "tests.evidence.storing_child", asked.pk, house.alice.pk, "proof"]
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=configured.BASE_DIR,
        env=environment(failpoint),
        check=False,
    )
    return done.returncode


def nothing_is_missing_and_it_can_be_brought_again(house: House) -> None:
    """At most one orphan and one unfinished file, and neither stands in the way."""
    assert not Evidence.objects.exists()
    assert not Blob.objects.exists()
    report = check_store(instant=clock.now(), all_ages=True)
    assert set(report.counts()) <= {"orphan"}
    assert len(report.findings) <= 1
    submitted_as_it_comes(house.requirement(), house.alice, "proof")
    tomorrow = clock.now() + dt.timedelta(hours=25)
    swept = sweep_store(instant=tomorrow)
    assert swept.outcomes == {}
    assert swept.unfinished <= 1
    assert list(open_store().incoming.iterdir()) == []
    report = check_store(instant=clock.now(), all_ages=True)
    assert (report.checked, report.findings) == (1, [])


@pytest.mark.parametrize("failpoint", IN_A_FOLDER)
def test_killed_while_storing_in_a_folder(folder, failpoint):
    house = houses.build()
    assert store_in_a_child(house, failpoint) == -signal.SIGKILL
    nothing_is_missing_and_it_can_be_brought_again(house)


@pytest.mark.parametrize("failpoint", IN_A_BUCKET)
def test_killed_while_storing_in_a_bucket(bucket, failpoint):
    house = houses.build()
    assert store_in_a_child(house, failpoint) == -signal.SIGKILL
    nothing_is_missing_and_it_can_be_brought_again(house)


def test_not_killed_the_child_stores_it(folder):
    house = houses.build()
    assert store_in_a_child(house, "") == 0
    assert Evidence.objects.count() == 1
    assert check_store(instant=clock.now(), all_ages=True).findings == []


def test_outside_of_tests_no_failpoint_is_armed():
    script = (
        "from evidence.storage.failpoints import failpoint; failpoint('x'); print(1)"
    )
    env = {**os.environ, "SRM_FAILPOINT": "x"}
    del env["PYTEST_CURRENT_TEST"]
    command = [sys.executable, "-c", f"import django; django.setup(); {script}"]
    done = subprocess.run(command, cwd=configured.BASE_DIR, env=env, check=False)
    assert done.returncode == 0
