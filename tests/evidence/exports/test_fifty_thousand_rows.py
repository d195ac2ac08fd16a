"""RE-14: a file of 50,000 rows is written in bounded memory, as it is made.

That a job's export is cancelled, taken up again and says how far it is:
tests/evidence/jobs/test_export_as_a_job.py.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from tests.evidence import house as houses
from tests.sign_ins import sign_in_just_now

ROWS = 50_000
MAX_BYTES = 20_000_000  # of Python's memory; the file has more
# Entries that verify with nothing: how much memory they take is all that is asked.
MANY = """
INSERT INTO controls_auditevent (
  actor_name, chain, seq, verb, subject_type, subject_label, operation, body,
  content_hash, prev_hash, hash)
SELECT 'Alice', %(chain)s, last.seq + n, 'test.said', '', 'Row ' || n,
       gen_random_uuid(), '{"said":"' || repeat('word ', 60) || '"}', 'x', 'x', 'x'
  FROM (SELECT max(seq) AS seq FROM controls_auditevent WHERE chain = %(chain)s) last,
       generate_series(1, %(rows)s) AS n
"""


@pytest.mark.django_db
def test_a_large_file_takes_as_little_memory_as_a_small_one(
    client: Client, settings, tmp_path: Path
) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    chain = str(house.system.uuid)
    with connection.cursor() as cursor:
        cursor.execute(MANY, {"chain": chain, "rows": ROWS})
    sign_in_just_now(client, house.olivia)
    tracemalloc.start()
    try:
        answer = client.post("/systems/shop/events/csv/", {"verb": "test.said"})
        size = lines = 0
        for piece in answer.streaming_content:
            size, lines = size + len(piece), lines + piece.count(b"\n")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == ROWS + 1
    assert size > MAX_BYTES, "holding the file would be seen"
    assert most < MAX_BYTES
