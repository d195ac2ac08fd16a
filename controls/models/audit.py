"""The audit log: one hash chain per system and one for the installation."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from controls.models.people import Actor

INSTANCE_CHAIN = "instance"
LOCK_CLASS = 9431
GENESIS = bytes(32)
# 1: verb, actor's name, subject and label; 2: every column but `id`.
BODY_VERSION = 2


@dataclass(frozen=True)
class Event:
    """One thing that happened, before it is written to its chain.

    `chain` is "instance" or a system's uuid as text; `body` is plain JSON data.
    """

    verb: str
    chain: str = INSTANCE_CHAIN
    actor: Any = None
    subject_type: str = ""
    subject_uuid: uuid.UUID | None = None
    subject_label: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    operation: uuid.UUID | None = None


def about(subject: Any, verb: str, *, by: Actor | None, **body: Any) -> Event:
    """An event about a model row, on the chain of the row's system if it has one."""
    system_uuid = chain_of(subject)
    return Event(
        verb=verb,
        chain=system_uuid,
        actor=by if getattr(by, "pk", None) else None,
        subject_type=subject._meta.label_lower,
        subject_uuid=subject.uuid,
        subject_label=str(subject)[:300],
        body=body,
    )


def chain_of(subject: Any) -> str:
    """The chain that events about `subject` belong to."""
    if subject._meta.label_lower == "controls.system":
        return str(subject.uuid)
    system = getattr(subject, "system", None)
    return str(system.uuid) if system is not None else INSTANCE_CHAIN


def canonical(body: Mapping[str, Any]) -> str:
    """The exact text that is hashed: sorted keys, no spaces, UTF-8 kept readable."""
    return json.dumps(
        body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str
    )


def link_hash(chain: str, seq: int, prev: bytes, content_hash: bytes) -> bytes:
    """sha256 over the length-prefixed chain name, number, predecessor and content."""
    parts = (chain.encode(), str(seq).encode(), prev, content_hash)
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.sha256(joined).digest()


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Reading the log; writing goes through `append` and `append_all` only."""

    def visible_to(self, user: Actor) -> AuditEventQuerySet:
        """Events of the systems the user may read; the instance's for superusers."""
        from controls.models.systems import System

        if user.is_superuser:
            return self
        chains = System.objects.visible_to(user).values_list("uuid", flat=True)
        return self.filter(chain__in=[str(chain) for chain in chains])

    def of_subject(self, subject: Any) -> AuditEventQuerySet:
        """Everything recorded about one row, oldest first."""
        return self.filter(subject_uuid=subject.uuid).order_by("at", "seq")

    def append(self, event: Event) -> AuditEvent:
        """Write one event as the last act of the caller's transaction."""
        return self.append_all([event])[0]

    def append_all(self, events: Iterable[Event]) -> list[AuditEvent]:
        """Write many events with one INSERT; chains are locked in sorted order.

        Must be the last statement of a transaction: the chain stays locked until
        it ends.
        """
        ordered = sorted(events, key=lambda event: event.chain)
        rows: list[AuditEvent] = []
        with transaction.atomic(savepoint=False):
            heads = {name: _lock_head(name) for name in _chains(ordered)}
            for event in ordered:
                head = heads[event.chain]
                row = AuditEvent.following(head, event)
                heads[event.chain] = replace(head, seq=row.seq, hash=bytes(row.hash))
                rows.append(row)
            return AuditEvent.objects.bulk_create(rows)


def _chains(events: Iterable[Event]) -> list[str]:
    return sorted({event.chain for event in events})


@dataclass(frozen=True)
class Head:
    """The last event of a chain, and what the database's clocks say meanwhile."""

    seq: int
    hash: bytes
    at: dt.datetime
    recorded_at: dt.datetime


# Sent at once, so that the chain is locked for one answer less; the second statement
# begins when the first has the lock, and so sees what the one before us committed.
LOCK_HEAD = """
SELECT pg_advisory_xact_lock(%s, hashtext(%s));
SELECT last.seq, last.hash, srm_now(), clock_timestamp()
  FROM (SELECT) always
  LEFT JOIN (SELECT seq, hash FROM controls_auditevent
              WHERE chain = %s ORDER BY seq DESC LIMIT 1) last ON true
"""


def _lock_head(chain: str) -> Head:
    """The head of a chain, which nobody else moves until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_HEAD, [LOCK_CLASS, chain, chain])
        cursor.nextset()
        seq, last_hash, at, recorded_at = cursor.fetchone()
    known = bytes(last_hash) if seq else GENESIS
    return Head(seq or 0, known, at, recorded_at)


class AuditEvent(models.Model):
    """One entry of the log. Append-only: the database refuses UPDATE and DELETE.

    `hash` binds the entry to its predecessor; `content_hash` is over `body` alone,
    so a body may be withheld and the chain still verifies. Since version 2 the member
    `_` of the body repeats every other column but `id`: see `columns_in_body`.
    """

    append_only = True

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    actor_name = models.CharField(max_length=200, blank=True, default="")
    chain = models.CharField(max_length=36)
    seq = models.PositiveBigIntegerField()
    verb = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, blank=True, default="")
    # null: an event about no row, such as a failed sign-in
    subject_uuid = models.UUIDField(null=True)
    subject_label = models.CharField(max_length=300, blank=True, default="")
    operation = models.UUIDField(default=uuid.uuid4)
    body = models.TextField()
    content_hash = models.BinaryField()
    prev_hash = models.BinaryField()
    hash = models.BinaryField()
    at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    recorded_at = models.DateTimeField(
        db_default=models.functions.Now(), editable=False
    )

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "seq"], name="audit_event_number_unique_in_chain"
            )
        ]
        indexes = [
            models.Index(fields=["subject_uuid"], name="audit_subject"),
            models.Index(fields=["-at"], name="audit_at"),
            models.Index(fields=["chain", "verb", "-seq"], name="audit_newest_of_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_label}".strip()

    @classmethod
    def following(cls, head: Head, event: Event) -> AuditEvent:
        """The unsaved entry that continues a chain whose last one is `head`."""
        row = cls(
            actor=event.actor,
            actor_name=str(event.actor or "")[:200],
            chain=event.chain,
            seq=head.seq + 1,
            verb=event.verb,
            subject_type=event.subject_type,
            subject_uuid=event.subject_uuid,
            subject_label=event.subject_label,
            operation=event.operation or uuid.uuid4(),
            prev_hash=head.hash,
            at=head.at,
            recorded_at=head.recorded_at,
        )
        row.body = canonical({**event.body, "_": columns_in_body(row)})
        row.content_hash = hashlib.sha256(row.body.encode()).digest()
        row.hash = link_hash(row.chain, row.seq, head.hash, row.content_hash)
        return row


def columns_in_body(event: AuditEvent, version: int = BODY_VERSION) -> dict[str, Any]:
    """What the hashed body says of the other columns, in a version of the body.

    Chain, number and predecessor are not among them: `hash` covers these itself.
    """
    if version == 1:
        return {
            "verb": event.verb,
            "actor": event.actor_name,
            "subject": str(event.subject_uuid or ""),
            "label": event.subject_label,
        }
    return {
        "version": version,
        "verb": event.verb,
        "actor": event.actor_name,
        "actor_id": event.actor_id,
        "subject": str(event.subject_uuid or ""),
        "subject_type": event.subject_type,
        "label": event.subject_label,
        "operation": str(event.operation),
        "at": event.at.astimezone(dt.UTC).isoformat(),
        "recorded_at": event.recorded_at.astimezone(dt.UTC).isoformat(),
    }
