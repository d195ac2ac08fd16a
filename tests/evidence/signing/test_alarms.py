"""AU-05: who runs SRM is told when the audit log or its checkpoints are not right."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import psycopg
import pytest

from controls import clock
from controls.models import AuditEvent, System, User
from controls.models.audit import INSTANCE_CHAIN, about
from evidence.models import Notice
from evidence.signing import alarms
from evidence.tasks import tell_people, verify_audit_log, write_checkpoints
from tests.factories import administrator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.CHECKPOINT_FOLDER = str(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


@pytest.fixture
def admin() -> User:
    return administrator()


def as_owner(dsn: str, statement: str, *values: object) -> None:
    """What only the owner of the tables can do: past every trigger."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(statement, values)


def told() -> list[tuple[str, str]]:
    """Who is told of an alarm that lasts, and what."""
    tell_people()
    open_ones = Notice.objects.filter(kind="audit-log", ended_at=None)
    return [(notice.user.email, notice.sentence) for notice in open_ones]


def readiness(client: Any) -> str:
    answer = client.get("/readyz")
    assert answer.json()["ready"] == (answer.status_code == 200)
    return answer.json()["audit_log"]


def verbs() -> list[str]:
    events = AuditEvent.objects.filter(chain=INSTANCE_CHAIN, verb__startswith="audit.")
    return [event.verb for event in events.order_by("seq")]


def test_all_is_well(system: System, admin: User, client) -> None:
    assert readiness(client) == "not checked yet"
    write_checkpoints()
    verify_audit_log()
    assert told() == []
    assert verbs() == []
    assert readiness(client) == "as its checkpoints say"


def test_a_cut_tail_is_told_to_administrators_alone(
    system: System, oscar: User, admin: User, owner_dsn, client
) -> None:
    chain = str(system.uuid)
    write_checkpoints()
    as_owner(
        owner_dsn,
        "DELETE FROM controls_auditevent WHERE chain = %s AND seq > 1",
        chain,
    )
    write_checkpoints()
    ((who, sentence),) = told()
    assert who == admin.email
    assert sentence.startswith(f"The audit log of {system.name}: the tail was cut:")
    assert verbs() == ["audit.alarm"]
    assert readiness(client) == "an alarm is open: see the notices of administrators"
    assert str(chain) not in client.get("/readyz").content.decode()
    write_checkpoints()
    assert len(told()) == 1  # once, however often it is found
    assert verbs() == ["audit.alarm"]
    client.force_login(admin)
    page = client.get("/notices/").content.decode()
    assert "the tail was cut" in page
    client.force_login(oscar)
    assert "the tail was cut" not in client.get("/notices/").content.decode()


def test_an_event_that_was_changed_is_told_after_the_night(
    system: System, admin: User, owner_dsn
) -> None:
    chain = str(system.uuid)
    as_owner(
        owner_dsn,
        "UPDATE controls_auditevent SET actor_name = 'Nobody'"
        " WHERE chain = %s AND seq = 1",
        chain,
    )
    verify_audit_log()
    ((_, sentence),) = told()
    assert sentence == (
        f"The audit log of {system.name}: event 1: its actor is not what was hashed."
    )


def test_events_without_a_checkpoint_are_told_until_there_is_one(
    system: System, admin: User, settings, tmp_path, monkeypatch, client
) -> None:
    """The folder of checkpoints cannot be written, hour after hour."""
    (tmp_path / "a-file").write_text("in the way")
    settings.CHECKPOINT_FOLDER = str(tmp_path / "a-file")
    write_checkpoints()
    assert told() == []
    later = alarms.knowledge_now() + dt.timedelta(hours=4)
    with monkeypatch.context() as patched:
        patched.setattr("evidence.signing.alarms.knowledge_now", lambda: later)
        write_checkpoints()
    ((_, sentence),) = told()
    assert sentence.startswith(
        f"The audit log of {system.name}: events of more than 180 minutes ago have no"
        " checkpoint."
    )
    settings.CHECKPOINT_FOLDER = str(tmp_path / "elsewhere")
    write_checkpoints()
    assert told() == []
    assert verbs()[-1] == "audit.alarm-ended"
    assert readiness(client) == "as its checkpoints say"


def test_a_check_that_stands_still_is_named_to_probes(
    system: System, oscar: User, client, monkeypatch
) -> None:
    write_checkpoints()
    AuditEvent.objects.append(about(system, "test.more", by=oscar))
    assert readiness(client) == "as its checkpoints say"
    later = clock.now() + dt.timedelta(hours=4)
    monkeypatch.setattr("srm_project.health.knowledge_now", lambda: later)
    assert readiness(client) == "not checked for too long: does beat run?"
