"""Unreferenced bytes are deleted after a day: previews never confirmed, crashes.

Source: RE-01 of the requirements.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.models import Arrival, Blob
from evidence.storage import Store, open_store
from evidence.storage.exclusive import SWEEPING, exclusive_lock
from evidence.storage.fsck import DAY, unneeded


@dataclass(frozen=True)
class SweepResult:
    """What became of each unreferenced digest, and how many unfinished files went."""

    outcomes: dict[str, str]
    unfinished: int


def sweep_store(*, instant: dt.datetime) -> SweepResult:
    """Delete what no record names and nobody touched for a day; that is recorded.

    So are bytes that were removed as a spill more than a day ago and lie there again:
    an upload that was under way meanwhile, or a backup that was put back.

    Only names that are digests, and temporary files, are deleted; whatever else lies
    in the store is for a person to look at (`evidence_fsck` names it). Raises
    StoreUnreachable, TransitionNotAllowed while another one runs.
    """
    before = instant - DAY
    with exclusive_lock(SWEEPING):
        store = open_store()
        Arrival.objects.filter(spared_until__lte=instant).delete()
        unfinished = store.drop_unfinished(before)
        outcomes: dict[str, str] = {}
        try:
            for digest in _orphans(store, before):
                if outcome := _destroy(store, digest, instant):
                    outcomes[digest] = outcome
            for digest in _returned(store, before):
                outcomes[digest] = store.destroy(digest)
        finally:
            _record(outcomes, unfinished)
    return SweepResult(outcomes, unfinished)


def _orphans(store: Store, before: dt.datetime) -> list[str]:
    return [
        stored.sha256
        for stored, purged_at in unneeded(store.everything())
        if stored.sha256 and purged_at is None and stored.since < before
    ]


def _returned(store: Store, before: dt.datetime) -> list[str]:
    """Digests of spills in the store. No upload of them is taken: no row is locked."""
    return [
        stored.sha256
        for stored, purged_at in unneeded(store.everything())
        if stored.sha256 and purged_at is not None and purged_at < before
    ]


@transaction.atomic
def _destroy(store: Store, sha256: str, instant: dt.datetime) -> str:
    """Destroy bytes that no row names, empty when a row names them by now or will.

    Rows of our own hold the digest meanwhile and are never committed: an upload of the
    same bytes waits for us, then finds none and stores them anew.
    """
    try:
        with transaction.atomic():
            Blob(sha256=sha256, size_bytes=1).save(force_insert=True)
    except IntegrityError:
        return ""
    if _is_brought(sha256, instant):
        transaction.set_rollback(True)
        return ""
    outcome = store.destroy(sha256)
    transaction.set_rollback(True)
    return outcome


def _is_brought(sha256: str, instant: dt.datetime) -> bool:
    """Whether somebody brings them; else nobody does until our transaction ends."""
    row = Arrival(sha256=sha256, spared_until=instant)
    Arrival.objects.bulk_create([row], ignore_conflicts=True)
    arrival = Arrival.objects.select_for_update().get(sha256=sha256)
    return arrival.spared_until > instant


def _record(outcomes: dict[str, str], unfinished: int) -> None:
    body = {"outcomes": outcomes, "unfinished": unfinished}
    AuditEvent.objects.append(
        Event("evidence.swept", subject_label="evidence store", body=body)
    )
