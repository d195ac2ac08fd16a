"""What is counted of whole systems today, kept until something of a system changes.

Judging takes as long as a system has controls, and a list shows 25 systems. So what was
counted stands in the cache under all that it rests on: the day, the number of the
rules, the newest event of the system's log (every act writes one, in its transaction),
and the register of reports and the reference data, which all systems share. Another
event, another day: another key, and it is counted anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from django.core.cache import cache
from django.db import connection

from controls.models import System
from evidence.status.rows import as_bigints
from evidence.status.rules import RULES

Counted = TypeVar("Counted")

# Seconds. What an operator's statement changes past every door writes no event: it is
# counted after that time.
KEPT = 600
# The register is small, and its rows are known by when they were last written; of what
# is append-only, by how many there are.
RESTS_ON = """
SELECT s.id, md5(concat_ws(' ', encode(newest.hash, 'hex'), s.version, register.digest))
  FROM controls_system s
  LEFT JOIN LATERAL (
    SELECT e.hash FROM controls_auditevent e
     WHERE e.chain = s.uuid::text ORDER BY e.seq DESC LIMIT 1) newest ON TRUE
 CROSS JOIN (SELECT concat_ws(' ',
    (SELECT string_agg(concat(id, known_from), ' ' ORDER BY id) FROM evidence_artifact),
    (SELECT string_agg(concat(id, known_from), ' ' ORDER BY id)
       FROM evidence_artifactversion),
    (SELECT string_agg(concat(id, known_from), ' ' ORDER BY id)
       FROM evidence_continuityletter),
    (SELECT concat(count(*), ' ', max(id)) FROM evidence_reportremark),
    (SELECT concat(count(*), ' ', max(id)) FROM controls_referenceversion)
    ) AS digest) register
 WHERE s.id = ANY(%(systems)s::bigint[])
"""


def kept_counts(
    name: str,
    days: Mapping[System, dt.date],
    count: Callable[[Sequence[System]], Mapping[int, Counted]],
    *,
    more: Mapping[int, str] | None = None,
    seconds: int = KEPT,
) -> dict[int, Counted]:
    """What `count` says of systems by their keys, each on the day that it is there.

    It is asked only about systems of which nothing is kept. `name` is of what it
    counts, `more` what it rests on besides, by the system's key. One statement besides
    its own.
    """
    keys = _keys(name, days)
    if more is not None:
        keys = {pk: f"{key}-{more[pk]}" for pk, key in keys.items()}
    kept = cache.get_many(keys.values())
    missing = [system for system in days if keys[system.pk] not in kept]
    counted = count(missing) if missing else {}
    cache.set_many({keys[pk]: value for pk, value in counted.items()}, seconds)
    return {pk: kept[key] for pk, key in keys.items() if key in kept} | dict(counted)


def _keys(name: str, days: Mapping[System, dt.date]) -> dict[int, str]:
    """Where what was counted stands; read before anything is counted, so that what is
    written meanwhile makes another key."""
    with connection.cursor() as cursor:
        numbers = as_bigints(system.pk for system in days)
        cursor.execute(RESTS_ON, {"systems": numbers})
        rests_on = dict(cursor.fetchall())
    return {
        system.pk: f"{name}-{RULES}-{system.uuid}-{day}-{rests_on[system.pk]}"
        for system, day in days.items()
    }
