"""The audit log shows tampering: AU-01, AU-02, AU-03, AU-06, AU-11."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from controls.history.chain import Break, Position, verify, verify_all
from controls.models import AuditEvent, System, User
from controls.models.audit import (
    INSTANCE_CHAIN,
    Event,
    about,
    canonical,
    columns_in_body,
    link_hash,
)


@pytest.mark.django_db
def test_au_03_what_the_product_did_verifies(system: System) -> None:
    assert AuditEvent.objects.filter(chain=str(system.uuid)).count() >= 3
    assert list(verify_all()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["update", "delete"])
def test_au_02_the_application_can_neither_change_nor_remove(
    system: System, act: str
) -> None:
    events = AuditEvent.objects.all()
    with pytest.raises(DatabaseError), transaction.atomic():
        events.update(body="{}") if act == "update" else events._raw_delete("default")


@pytest.mark.django_db(transaction=True)
def test_au_03_a_change_by_the_owner_is_found_and_named(
    system: System, owner_dsn: str
) -> None:
    chain = str(system.uuid)
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "UPDATE controls_auditevent SET body = '{}' WHERE chain = %s AND seq = 2",
            [chain],
        )
    found = verify(chain)
    assert found is not None
    assert (found.seq, found.why) == (2, "its body was changed")


@pytest.mark.django_db(transaction=True)
def test_au_06_parallel_writers_leave_no_gap_and_no_fork() -> None:
    def write(number: int) -> None:
        for _ in range(10):
            with transaction.atomic():
                AuditEvent.objects.append(Event("test.written", body={"n": number}))
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert AuditEvent.objects.filter(verb="test.written").count() == 40
    assert verify(INSTANCE_CHAIN) is None


@pytest.mark.django_db
def test_au_01_a_rolled_back_act_leaves_no_event(oscar: User) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(ValueError, match="undo"), transaction.atomic():
        AuditEvent.objects.append(about(oscar, "test.undone", by=oscar))
        raise ValueError("undo")
    assert AuditEvent.objects.count() == before
    assert verify(INSTANCE_CHAIN) is None


@pytest.mark.django_db
def test_au_11_the_name_of_the_actor_is_kept(oscar: User) -> None:
    event = AuditEvent.objects.append(about(oscar, "test.named", by=oscar))
    User.objects.filter(pk=oscar.pk).update(name="Somebody Else")
    assert AuditEvent.objects.get(pk=event.pk).actor_name == "Oscar"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("verb = 'evidence.accepted'", "its verb is not what was hashed"),
        ("actor_name = 'Mallory'", "its actor is not what was hashed"),
        ("subject_uuid = gen_random_uuid()", "its subject is not what was hashed"),
        ("subject_label = 'Another'", "its label is not what was hashed"),
        (
            "subject_type = 'controls.team'",
            "its kind of subject is not what was hashed",
        ),
        ("actor_id = NULL", "its actor is not what was hashed"),
        ("at = at - interval '1 day'", "its time is not what was hashed"),
        (
            "recorded_at = recorded_at - interval '1 day'",
            "its time of recording is not what was hashed",
        ),
        ("operation = gen_random_uuid()", "its operation is not what was hashed"),
    ],
)
def test_au_03_a_column_beside_the_body_is_compared_with_it(
    system: System, owner_dsn: str, change: str, why: str
) -> None:
    chain = str(system.uuid)
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            f"UPDATE controls_auditevent SET {change} WHERE chain = %s AND seq = 2",
            [chain],
        )
    broken = verify(chain)
    assert broken is not None
    assert (broken.seq, broken.why) == (2, why)


def by_the_owner(owner_dsn: str, statement: str, chain: str) -> None:
    """What the owner role can do to a chain, past every trigger."""
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(statement, [chain])


EVENT = "controls_auditevent"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "seq", "why"),
    [
        (f"DELETE FROM {EVENT} WHERE seq = 1", 1, "an event is missing"),
        (f"DELETE FROM {EVENT} WHERE seq = 2", 2, "an event is missing"),
        (
            f"UPDATE {EVENT} SET body = '{{}}', content_hash = sha256('{{}}')"
            " WHERE seq = 2",
            2,
            "its hash does not match",
        ),
        (
            f"UPDATE {EVENT} SET prev_hash = sha256('x') WHERE seq = 3",
            3,
            "it does not follow the event before it",
        ),
    ],
)
def test_au_03_what_was_cut_out_or_written_anew_is_found_where_it_was(
    system: System, owner_dsn: str, statement: str, seq: int, why: str
) -> None:
    chain = str(system.uuid)
    kept = {e.seq: bytes(e.hash).hex() for e in AuditEvent.objects.filter(chain=chain)}
    by_the_owner(owner_dsn, f"{statement} AND chain = %s", chain)
    passed: list[Position] = []
    assert verify(chain, passed=passed.append) == Break(chain, seq, why)
    assert list(verify_all()) == [Break(chain, seq, why)]
    # How far it came is known, so that the next run goes on there.
    before = [Position(chain, seq - 1, kept[seq - 1])] if seq > 1 else []
    assert passed == before


@pytest.mark.django_db(transaction=True)
def test_au_03_an_event_before_the_first_is_found(
    system: System, owner_dsn: str
) -> None:
    chain = str(system.uuid)
    row = "to_jsonb(e) || jsonb_build_object('id', -1, 'seq', 0)"
    made = f"jsonb_populate_record(NULL::{EVENT}, {row})"
    by_the_owner(
        owner_dsn,
        f"INSERT INTO {EVENT} SELECT ({made}).* FROM {EVENT} e"
        " WHERE e.seq = 1 AND e.chain = %s",
        chain,
    )
    assert verify(chain) == Break(chain, 1, "an event is missing")


def rewritten(event: AuditEvent, body: str) -> AuditEvent:
    """The event that would follow instead, with another body and its right hashes."""
    event.pk, event.body = None, body
    event.content_hash = hashlib.sha256(body.encode()).digest()
    prev = bytes(event.prev_hash)
    event.hash = link_hash(event.chain, event.seq, prev, event.content_hash)
    return event


def next_event(oscar: User) -> AuditEvent:
    """An event as it would be written now, in a chain of its own."""
    with transaction.atomic():
        event = AuditEvent.objects.append(about(oscar, "test.before", by=oscar))
        transaction.set_rollback(True)
    return event


@pytest.mark.django_db(transaction=True)
def test_au_03_an_event_of_an_earlier_release_verifies_as_it_was_hashed(
    oscar: User, owner_dsn: str
) -> None:
    """Its body repeats four columns; those are compared."""
    event = next_event(oscar)
    rewritten(event, canonical({"_": columns_in_body(event, version=1)})).save()
    AuditEvent.objects.append(about(oscar, "test.after", by=oscar))
    assert verify(INSTANCE_CHAIN) is None
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "UPDATE controls_auditevent SET verb = 'other' WHERE id = %s", [event.pk]
        )
    broken = verify(INSTANCE_CHAIN)
    assert broken is not None
    assert (broken.seq, broken.why) == (event.seq, "its verb is not what was hashed")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["at", "recorded_at"])
def test_au_03_no_event_is_written_for_another_time(oscar: User, name: str) -> None:
    """Whoever may insert events cannot say that they are of yesterday, or tomorrow."""
    for other in ("2026-11-22T09:00:00+00:00", "2026-11-24T09:00:00+00:00"):
        event = next_event(oscar)
        columns = columns_in_body(event) | {name: other}
        with pytest.raises(IntegrityError, match="at the time of its writing"):
            with transaction.atomic():
                rewritten(event, canonical({"_": columns})).save()
