"""The bucket's own legal hold on what is under a legal hold here (AU-07).

Our hold is a row that purges and removals heed; with EVIDENCE_S3_LEGAL_HOLD the bucket
refuses to delete the objects too, whoever asks. `Blob.held_in_store` says what was set
there last; the worker brings the bucket to what the rows say, after each act and every
five minutes, since evidence comes under a hold of its system without an act.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from celery import shared_task
from django.conf import settings
from django.db import connection

from evidence.models import Blob
from evidence.storage import Store, StoreUnreachable, open_store

log = logging.getLogger(__name__)
AT_ONCE = 1_000  # objects of one run; the next one takes the rest
DIFFERING = """
SELECT b.id, b.sha256, wanted.held
  FROM evidence_blob b
 CROSS JOIN LATERAL (SELECT b.purged_at IS NULL AND (EXISTS (
     SELECT FROM evidence_evidencefile f
       JOIN evidence_evidencerevision r ON r.id = f.revision_id
       JOIN evidence_evidence e ON e.id = r.evidence_id
       JOIN evidence_legalhold h ON h.system_id = e.system_id
      WHERE f.blob_id = b.id AND h.lifted_by_id IS NULL
        AND (h.evidence_id IS NULL OR h.evidence_id = e.id)
   ) OR EXISTS (
     SELECT FROM evidence_population p
       JOIN evidence_legalhold h ON h.system_id = p.system_id
      WHERE p.blob_id = b.id AND h.lifted_by_id IS NULL AND h.evidence_id IS NULL
   )) AS held) AS wanted
 WHERE wanted.held <> b.held_in_store
   AND (b.held_in_store
        OR EXISTS (SELECT FROM evidence_legalhold WHERE lifted_by_id IS NULL))
 ORDER BY b.id LIMIT %s
"""


def not_set_yet() -> list[tuple[int, str, bool]]:
    """Bytes on which the bucket's hold is otherwise than it should be: key, digest,
    whether it is to be held; AT_ONCE at most. Empty where the setting is off."""
    if not settings.EVIDENCE_S3_LEGAL_HOLD:
        return []
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING, [AT_ONCE])
        return list(cursor.fetchall())


def set_holds(store: Store | None = None) -> int:
    """Bring the bucket to what the rows say; returns how many objects were changed.

    Call it outside of a transaction; may run twice at once. What the bucket refuses is
    logged and tried again with the next run.
    """
    changed = 0
    for pk, sha256, held in not_set_yet():
        store = store or open_store()
        try:
            store.set_legal_hold(sha256, on=held)
        except FileNotFoundError as missing:
            if held:
                log.error("No legal hold was set in the bucket: %s", missing)
                continue
        except StoreUnreachable as refusal:
            log.error("No legal hold was set in the bucket: %s", refusal)
            continue
        changed += Blob.objects.filter(pk=pk).update(held_in_store=held)
    return changed


def let_go(store: Store, digests: Sequence[str]) -> None:
    """Take the bucket's hold off bytes that are to be destroyed. Raises
    StoreUnreachable."""
    for blob in Blob.objects.filter(sha256__in=digests, held_in_store=True):
        try:
            store.set_legal_hold(blob.sha256, on=False)
        except FileNotFoundError:
            log.warning("Bytes that were held are not in the bucket: %s", blob.sha256)
        Blob.objects.filter(pk=blob.pk).update(held_in_store=False)


# The name is fixed: the schedule of beat names it so.
@shared_task(name="evidence.tasks.set_legal_holds", ignore_result=True)
def set_legal_holds(hold_pk: int = 0) -> None:
    """After a hold was placed or lifted, and every five minutes."""
    set_holds()
