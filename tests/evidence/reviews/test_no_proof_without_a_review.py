"""With the application's database rights nobody makes proof without a review."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from evidence.models import EvidenceLink
from tests.evidence import house as houses
from tests.evidence.house import House, submitted

PROOF_OF_NOTHING = """
INSERT INTO evidence_proof (system_id, implementation_id, requirement_id, link_id,
       half, state, starts, ends, holds_from, holds_until, known_from)
SELECT system_id, implementation_id, requirement_id, id, half, 'accepted', proves_from,
       '9999-12-31', '0001-01-01', '9999-12-31', now() FROM evidence_evidencelink
"""

# a copy of the link that was never anything but accepted
ACCEPTED_AT_ONCE = """
DO $$ DECLARE one evidence_evidencelink;
BEGIN
  SELECT * INTO one FROM evidence_evidencelink LIMIT 1;
  one.id := nextval(pg_get_serial_sequence('evidence_evidencelink', 'id'));
  one.uuid := gen_random_uuid();
  one.state := 'accepted';
  INSERT INTO evidence_evidencelink SELECT one.*;
END $$
"""


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    return houses.build()


@pytest.fixture
def link(house: House) -> EvidenceLink:
    return submitted(house)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE evidence_evidencelink SET state = 'accepted'", "no review accepts"),
        (PROOF_OF_NOTHING, "no accepted link carries"),
        ("UPDATE evidence_proof SET state = 'accepted'", "no accepted link carries"),
        (ACCEPTED_AT_ONCE, "no review accepts"),
        ("DELETE FROM evidence_proof", "permission denied"),
        ("DELETE FROM evidence_evidencelink", "permission denied"),
        ("DELETE FROM controls_membership", "permission denied"),
        ("DELETE FROM controls_user", "permission denied"),
        ("DELETE FROM evidence_review", "permission denied"),
        ("UPDATE evidence_review SET decision = 'accept'", "permission denied"),
    ],
)
def test_the_database_refuses_it_to_the_application(
    house: House, link: EvidenceLink, statement: str, refusal: str
) -> None:
    """AC-08: the state machine and its records are held by the database."""
    with (
        pytest.raises(DatabaseError, match=refusal),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
