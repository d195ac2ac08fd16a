"""The audit chain of a system in a package: every event, and the bodies of those whose
subject the reader may see."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.apps import apps
from django.db.models import Min, QuerySet

from controls.access import is_officer
from controls.models import AuditEvent
from controls.models.audit import GENESIS
from evidence.exports.rows.scope import ExportScope

BATCH = 2_000  # events in memory at once


@dataclass
class AuditLog:
    """The events that were written before the scope's instant, in their order.

    `size`, `head` (hash of the last one) and `withheld` are right once `lines` is over.
    """

    scope: ExportScope
    size: int = 0
    head: bytes = field(default=GENESIS)
    withheld: int = 0

    @property
    def chain(self) -> str:
        """The name of the chain: the system's key."""
        return str(self.scope.system.uuid)

    def lines(self) -> Iterator[bytes]:
        """A JSON object a line; `body` is null where it is withheld."""
        batch: list[AuditEvent] = []
        for event in self._events().iterator(chunk_size=BATCH):
            batch.append(event)
            if len(batch) == BATCH:
                yield from self._written(batch)
                batch = []
        yield from self._written(batch)

    def head_file(self) -> bytes:
        """The name, size and head of the chain."""
        head = {"chain": self.chain, "size": self.size, "head": self.head.hex()}
        return json.dumps(head, indent=2).encode() + b"\n"

    def _events(self) -> QuerySet[AuditEvent]:
        """Up to the first one of the instant or later: a beginning of the chain."""
        events = AuditEvent.objects.filter(chain=self.chain)
        later = events.filter(at__gte=self.scope.known_at).aggregate(first=Min("seq"))
        if later["first"]:
            events = events.filter(seq__lt=later["first"])
        return events.order_by("seq")

    def _written(self, events: Sequence[AuditEvent]) -> Iterator[bytes]:
        readable = self._readable(events)
        for event in events:
            shown = event.subject_uuid is None or event.subject_uuid in readable
            self.withheld += not shown
            self.size, self.head = event.seq, bytes(event.hash)
            line = {
                "seq": event.seq,
                "at": event.at.astimezone(dt.UTC).isoformat(),
                "verb": event.verb,
                "content_hash": bytes(event.content_hash).hex(),
                "hash": self.head.hex(),
                "body": event.body if shown else None,
            }
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def _readable(self, events: Sequence[AuditEvent]) -> set[uuid.UUID | None]:
        """Subjects that the reader may see; all for officers and for commands.

        What has no rule of who sees it, such as roles of people, is for officers.
        """
        by_type: dict[str, set[uuid.UUID | None]] = defaultdict(set)
        for event in events:
            by_type[event.subject_type].add(event.subject_uuid)
        reader = self.scope.reader
        if reader is None or is_officer(reader, self.scope.system):
            return set().union(*by_type.values())
        readable: set[uuid.UUID | None] = set()
        for kind, subjects in by_type.items():
            rows = apps.get_model(kind)._default_manager if kind else None
            if rows is not None and hasattr(rows, "visible_to"):
                visible = rows.visible_to(reader).filter(uuid__in=subjects)
                readable |= set(visible.values_list("uuid", flat=True))
        return readable
