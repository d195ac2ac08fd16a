"""AZ-08: a GET writes nothing; sessions and the audit log, disclosures in it, excepted.

Every address is asked for in the browser of an officer and of a contributor; the
database counts what was written in each table, whose rows are then what they were.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from django.db import connection

from evidence.models import Notice
from tests.access import world as worlds
from tests.access.walking import address, browser_of, doors

# What a GET may write: that somebody was here, and what was given out to whom.
RECORDS_OF_READING = {
    "django_session",
    "controls_auditevent",
    "evidence_disclosurerecord",
}
# Of this transaction, of what it rolled back too ("what if" pages do).
WRITTEN = """
SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables
"""
CONTENT = """
SELECT md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) FROM "{}" t
"""


@pytest.fixture
def world(db, settings, tmp_path):
    """One object of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def rows_written() -> dict[str, int]:
    """How many rows were written in each table but the records of reading."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        written = dict(cursor.fetchall())
    return {name: n for name, n in written.items() if name not in RECORDS_OF_READING}


def contents(tables: Iterable[str]) -> dict[str, str]:
    """A hash of all rows of each table."""
    hashes = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(CONTENT.format(table))
            hashes[table] = cursor.fetchone()[0]
    return hashes


@pytest.mark.parametrize("name", ["oscar", "alice"])
def test_no_address_writes_when_it_is_only_read(world, name: str) -> None:
    Notice.objects.update(path="/work/")
    browser, before = browser_of(world, name), rows_written()
    held = contents(before)
    answered: dict[str, int] = {}
    wrote: dict[str, dict[str, str]] = {}
    for door in doors():
        if "GET" not in door.methods:
            continue
        answer = browser.get(address(door, world))
        if answer.streaming:
            b"".join(answer.streaming_content)
        answered[door.view] = answer.status_code
        after = rows_written()
        now_held = contents(name for name in after if after[name] != before[name])
        if now_held.items() - held.items():
            wrote[door.view] = now_held
        before, held = after, held | now_held
    assert not wrote
    assert sum(status == 200 for status in answered.values()) > 60
    assert not [view for view, status in answered.items() if status >= 500]
    if name == "oscar":  # whose notice it is
        assert answered["evidence:notice"] == 302
