"""Digests whose bytes somebody brings at this moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

from django.db import connection, models
from django.db.models import Q

# Longer than any request, and than a preview may be confirmed.
SPARED_FOR = dt.timedelta(hours=2)
EXPECT = """
INSERT INTO evidence_arrival (sha256, spared_until)
SELECT brought.sha256, statement_timestamp() + make_interval(secs => %s)
  FROM unnest(%s::text[]) WITH ORDINALITY AS brought(sha256, place) ORDER BY place
ON CONFLICT (sha256) DO UPDATE SET spared_until = excluded.spared_until
"""


class ArrivalManager(models.Manager["Arrival"]):
    """Saying that bytes are brought."""

    def expect(self, digests: Iterable[str]) -> None:
        """Until SPARED_FOR has passed no sweep deletes these; one statement.

        Call it outside of a transaction, before the store is asked or sent anything:
        a sweep that destroys the same bytes now is waited for.
        """
        # In one order, so that two with the same digests do not wait in a circle.
        with connection.cursor() as cursor:
            cursor.execute(EXPECT, [SPARED_FOR.total_seconds(), sorted(set(digests))])


class Arrival(models.Model):
    """Bytes that a record may name soon: until then a sweep spares them.

    With it the store is spoken to before the transaction that records evidence, not
    within: between the two no row of a blob says that the bytes are needed. A sweep
    holds the row of what it destroys, so each waits for the other, for these bytes
    only. Rows that are over go with the next sweep.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    spared_until = models.DateTimeField()

    objects: ClassVar[ArrivalManager] = ArrivalManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="arrival_digest_is_sha256",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return self.sha256
