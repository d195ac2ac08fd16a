"""What the role that serves can and cannot do to the database, past all of our code.

Each sentence of docs/security.md, "With the application's database rights", that no
other test proves, is tried here by its statement: AC-05, AC-08, AU-02, AU-03.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from controls.history.chain import verify_all
from controls.models import AuditEvent
from controls.models.audit import about
from evidence.models import EvidenceLink, Review
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.reviews.hands import accepted

CANNOT = {
    "change what rows said before": (
        "UPDATE controls_system_history SET name = 'other'",
        "permission denied",
    ),
    "add to what rows said before": (
        "INSERT INTO controls_membership_history SELECT now(), *"
        " FROM controls_membership",
        "permission denied",
    ),
    "set the clock of knowledge": (
        "SELECT set_config('srm.clock', '2020-01-01', true);"
        " UPDATE controls_team SET known_from = '2020-01-01';"
        " SELECT 1 / count(*) FROM controls_team WHERE known_from < '2021-01-01'",
        "division by zero",
    ),
    "switch triggers off": (
        "ALTER TABLE evidence_evidencelink DISABLE TRIGGER USER",
        "must be owner",
    ),
    "pass triggers by": (
        "SET LOCAL session_replication_role = replica",
        "permission denied",
    ),
    "drop a constraint": (
        "ALTER TABLE controls_membership"
        " DROP CONSTRAINT membership_auditor_once_at_a_time",
        "must be owner",
    ),
    "replace a function of a trigger": (
        "CREATE OR REPLACE FUNCTION srm_append_only() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        "permission denied|must be owner",
    ),
    "empty a table": ("TRUNCATE evidence_evidencelink CASCADE", "permission denied"),
    "become another role": ("SET ROLE srm_owner", "permission denied"),
    "give themselves a right": (
        "GRANT DELETE ON controls_auditevent TO CURRENT_USER;"
        " DELETE FROM controls_auditevent",
        "permission denied",
    ),
    "read or write files of the server": (
        "COPY controls_user TO '/tmp/users'",
        "permission denied|must be",
    ),
    "say that migrations ran": ("DELETE FROM django_migrations", "permission denied"),
}
CAN = {
    "read hashes of passwords": "SELECT password FROM controls_user",
    "read secrets of second factors": "SELECT data FROM mfa_authenticator",
    "give an account every right": "UPDATE controls_user SET is_superuser = true",
    "set another password": "UPDATE controls_user SET password = 'pbkdf2_sha256$1$a$b'",
    "take a second factor away": "DELETE FROM mfa_authenticator",
    "give a role": (
        "INSERT INTO controls_membership (system_id, user_id, uuid, role, starts_at)"
        " SELECT s.id, u.id, gen_random_uuid(), 'officer', now()"
        " FROM controls_system s, controls_user u WHERE u.email LIKE 'mallory%'"
    ),
    "stretch the days of proof": "UPDATE evidence_proof SET ends = '9999-12-31'",
    "end proof": "UPDATE evidence_proof SET known_until = clock_timestamp()",
    "lift a legal hold in another's name": (
        "UPDATE evidence_legalhold AS h SET lift_reason = 'x', lifted_at = now(),"
        " lifted_by_id = (SELECT max(id) FROM controls_user WHERE id <> h.placed_by_id)"
    ),
    "approve a shorter retention in another's name": (
        "UPDATE controls_retrospectivechange AS c SET state = 'approved',"
        " decided_at = now(), decided_by_id ="
        " (SELECT max(id) FROM controls_user WHERE id <> c.requested_by_id)"
    ),
    "end sessions": "DELETE FROM django_session",
}


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


@pytest.fixture
def link(house: House) -> EvidenceLink:
    return submitted(house)


def run(statement: str) -> int:
    """How many rows a statement of the role that serves touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


@pytest.mark.parametrize("act", CANNOT)
def test_the_database_refuses_to(house: House, link: EvidenceLink, act: str) -> None:
    statement, refusal = CANNOT[act]
    with pytest.raises(DatabaseError, match=refusal), transaction.atomic():
        run(statement)


@pytest.mark.parametrize("act", CAN)
def test_nothing_in_the_database_refuses_to(house: House, act: str) -> None:
    """Said plainly rather than left out; only the audit log lacks the event."""
    accepted(submitted(house))
    assert run(CAN[act]) >= 0


def test_a_review_in_another_persons_name_counts(
    house: House, link: EvidenceLink
) -> None:
    """Rita never saw it. That the log has no event of it is all that tells."""
    Review.of(link, decision="accept", by=house.rita, reason="").save()
    assert run("UPDATE evidence_evidencelink SET state = 'accepted'") == 1
    assert not AuditEvent.objects.filter(verb="evidence.accepted").exists()
    assert list(verify_all()) == []


def test_an_event_in_another_persons_name_verifies(house: House) -> None:
    """Of this moment only: none is changed, taken away or written for another time."""
    AuditEvent.objects.append(about(house.system, "test.said", by=house.rita))
    assert list(verify_all()) == []
