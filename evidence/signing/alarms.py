"""Alarms of the audit log: a chain that does not verify, a checkpoint that is missing
or says otherwise. They are kept until a later check finds nothing.

Source: AU-03 to AU-05 of the requirements.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction

from controls.history.chain import verify
from controls.history.clock import knowledge_now
from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.models import AuditLogCheck
from evidence.signing.checkpoints import (
    Checkpoint,
    NotOurs,
    chains,
    contradiction,
    newest_checkpoint,
    unproven,
)
from evidence.signing.keys import known_keys
from evidence.storage import StoreUnreachable

# So many intervals without a checkpoint of events are told.
LATE_INTERVALS = 3
NO_CHECKPOINT = (
    "events of more than {minutes} minutes ago have no checkpoint. Does beat run, and"
    " can its folder be written?"
)
log = logging.getLogger("srm.audit")


def patience() -> dt.timedelta:
    """How long an event may wait for a checkpoint, and a chain for a check."""
    return dt.timedelta(minutes=LATE_INTERVALS * settings.CHECKPOINT_MINUTES)


def is_late(chain: str, point: Checkpoint | None) -> bool:
    """Whether an event waits for a checkpoint for longer than it should."""
    oldest = next(unproven(chain, point), None)
    return oldest is not None and oldest.recorded_at < knowledge_now() - patience()


def no_checkpoint() -> str:
    """The sentence about a chain that is late."""
    return NO_CHECKPOINT.format(minutes=patience() // dt.timedelta(minutes=1))


def check_checkpoints() -> None:
    """Hold each chain against its newest checkpoint, and keep what came of it."""
    for chain in chains():
        _keep(chain, checkpoint_fault=_checkpoint_fault(chain))


def verify_chains() -> None:
    """Verify each chain from its first event to its last, and keep what came of it."""
    for chain in chains():
        broken = verify(chain)
        fault = f"event {broken.seq}: {broken.why}." if broken else ""
        _keep(chain, chain_fault=fault, verified_at=knowledge_now())


def _checkpoint_fault(chain: str) -> str:
    try:
        kept = newest_checkpoint(chain, known_keys())
        point = kept[0] if kept else None
        wrong = contradiction(point) if point else ""
    except NotOurs as refusal:
        return f"its newest checkpoint: {' '.join(refusal.messages)}"
    except StoreUnreachable as away:
        return f"its checkpoints cannot be read: {' '.join(away.messages)}"
    if wrong:
        return f"{wrong}."
    return no_checkpoint() if is_late(chain, point) else ""


@transaction.atomic
def _keep(chain: str, **results: object) -> None:
    """Write down what a check came to; an alarm that begins or ends leaves an event."""
    row, _ = AuditLogCheck.objects.select_for_update().get_or_create(
        chain=chain, defaults={"checked_at": knowledge_now()}
    )
    before = row.checkpoint_fault, row.chain_fault
    if "checkpoint_fault" in results:
        results["checked_at"] = knowledge_now()
    for name, value in results.items():
        setattr(row, name, value)
    row.save(update_fields=[*results])
    now = row.checkpoint_fault, row.chain_fault
    if now == before:
        return
    if any(now):
        log.error("Audit log, chain %s: %s", chain, " ".join(filter(None, now)))
    AuditEvent.objects.append(
        Event(
            verb="audit.alarm" if any(now) else "audit.alarm-ended",
            body={"of": chain, "checkpoint": now[0], "events": now[1]},
        )
    )
