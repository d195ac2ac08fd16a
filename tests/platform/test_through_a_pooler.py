"""A pooler in transaction mode may lie before the database: PgBouncer itself.

Rule: with `DATABASE_POOLED=yes`, as docs/deployment.md says, pages, uploads, jobs and
commands work although each transaction may get another connection; what one sets for
its own ends with it, above all that an auditor's cannot write.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from evidence.exports.jobs import make_export
from evidence.models import EvidenceLink, Export
from tests import pooler
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House
from tests.evidence.storage.test_hanging_store import Web, serving
from tests.evidence.storage.test_kill_while_storing import environment
from tests.one_day import real_time
from tests.sign_ins import sign_in_just_now

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(pooler.BINARY is None, reason="no pgbouncer on this machine"),
]
UPLOADS = READINGS = 8


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """Where web, worker and commands are told that the database is.

    It names no password: only the pooler lets one in.
    """
    with pooler.pooled() as address:
        yield address


@pytest.fixture
def web(house: House, address: str) -> Iterator[Web]:
    with serving(house, DATABASE_URL=address, DATABASE_POOLED="yes") as started:
        yield started


def signed_in(web: Web, person: Any) -> Web:
    """The same server in the browser of somebody else."""
    client = Client()
    with real_time():
        client.force_login(person)
    name = configured.SESSION_COOKIE_NAME
    return replace(web, cookies=f"{name}={client.cookies[name].value}")


def test_auditors_read_while_others_write_on_the_same_connections(house, web) -> None:
    """AC-06: the read-only transaction of one is not the next one's."""
    auditor, written, read = signed_in(web, house.audrey), [], []
    acts = [lambda n=n: written.append(web.upload(n).status) for n in range(UPLOADS)]
    acts += [
        lambda: read.append(auditor.ask("GET", "/systems/shop/").status)
        for _ in range(READINGS)
    ]
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert (written, read) == ([302] * UPLOADS, [200] * READINGS)
    assert EvidenceLink.objects.count() == UPLOADS


def run(address: str, *command: str) -> str:
    """What a program prints that reaches the database through the pooler."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=configured.BASE_DIR,
        env=environment("") | {"DATABASE_URL": address, "DATABASE_POOLED": "yes"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_jobs_and_commands_go_through_it(client, house, address) -> None:
    houses.submitted(house)
    sign_in_just_now(client, house.ray)
    client.post("/exports/request/", {"system": "shop", "on": TODAY.isoformat()})
    export = Export.objects.get()
    run(
        address,
        *("-m", "tests.evidence.jobs.working_child", make_export.name, str(export.pk)),
    )
    export.refresh_from_db()
    assert (export.state, export.failure) == ("done", "")
    assert "Every chain verifies." in run(address, "manage.py", "verify_audit_log")
    assert "1 blob checked" in run(address, "manage.py", "evidence_fsck")
    run(address, "manage.py", "proof_check")
    run(address, "manage.py", "evidence_sweep")
