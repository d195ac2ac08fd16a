"""Years of evidence of one system, written by COPY; its proof is derived from links."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from bench.chains import copy_events
from controls.models import System, Team, User
from controls.models.audit import Event
from evidence.models import RequirementControl
from evidence.models.proof import OPEN
from evidence.status.cadence import DAY, last_day, occurrence_of, proof_end_under

YEARS = 2
# Of each hundred rows of an ask these wait for a review, and this one was rejected.
WAITING_OF_HUNDRED = (0, 1)
REJECTED_OF_HUNDRED = 2
PROOF_BATCH = 50_000  # links

EVIDENCE = (
    "id, uuid, title, source_system, procedure, sensitivity, version, created_by_id,"
    " system_id, team_id, known_from"
)
REVISIONS = (
    "id, uuid, number, kind, reason, performed_on, period_from, period_until,"
    " collected_on, digest, uploaded_at, evidence_id, uploaded_by_id, addresses,"
    " known_from"
)
BLOBS = (
    "id, sha256, size_bytes, media_type, scan_state, scan_attempts, scan_detail,"
    " stored_at, waits"
)
FILES = "id, uuid, name, position, blob_id, revision_id, flags"
LINKS = (
    "id, uuid, statement_ids, half, occurrence, occurrence_ends, state, proves_from,"
    " proves_to, submitted_at, version, implementation_id, submitted_by_id, system_id,"
    " requirement_id, revision_id, known_from"
)
REVIEWS = (
    "id, uuid, decision, reason, digest, performed_on, period_from, period_until,"
    " reviewer_name, link_id, reviewer_id, submitter_id, day_confirmed, day_shown_by,"
    " known_from"
)


@dataclass(frozen=True)
class Hands:
    """Who uploads and who reviews, for which team."""

    team: Team
    uploader: User
    reviewer: User


@dataclass(frozen=True)
class Performance:
    """One row of evidence for one ask; `number` is the key of all its rows."""

    number: int
    ask: RequirementControl
    day: dt.date
    state: str

    @property
    def digest(self) -> str:
        """The sha256 that no other row has; there are no bytes."""
        return f"{self.number:064x}"

    @property
    def at(self) -> dt.datetime:
        """When it was uploaded: the noon of its day."""
        return dt.datetime.combine(self.day, dt.time(12), tzinfo=dt.UTC)

    @property
    def uuid(self) -> uuid.UUID:
        """The name of each of its rows; of another table another row's."""
        return uuid.UUID(int=self.number | 4 << 76 | 8 << 60)


def grow(system: System, rows: int, hands: Hands, *, until: dt.date) -> None:
    """Write `rows` pieces of evidence, spread evenly over the asks of the system and
    over the two years to `until`; of each a file, a link, what a review said, and two
    audit events.

    As the owner, on an otherwise idle database: keys are counted on from the highest.
    """
    asks = list(system.requirements.order_by("pk"))
    first = _highest_key() + 1
    done = [*_performances(asks, rows, first, until)]
    with transaction.atomic(), connection.cursor() as cursor:
        # Knowledge of each row began when it was uploaded, not now.
        for table in DATED_BY_TRIGGER:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        _write(system, done, hands)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in DATED_BY_TRIGGER:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        _count_on(cursor)
    keys = [performance.number for performance in done]
    with connection.cursor() as cursor:
        for start in range(0, len(keys), PROOF_BATCH):
            cursor.execute(OPEN, [keys[start : start + PROOF_BATCH]])


def settle() -> None:
    """Let the planner know the sizes, as autovacuum would."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _performances(
    asks: Sequence[RequirementControl], rows: int, first: int, until: dt.date
) -> Iterator[Performance]:
    for n in range(rows):
        ask = asks[n % len(asks)]
        nth, of_ask = n // len(asks), max(1, rows // len(asks))
        # not all on the same days: of an ask the newest is up to a month old
        day = until - DAY * (1 + n % 30 + nth * (365 * YEARS) // of_ask)
        hundredth = (n // len(asks) + n * 7) % 100
        state = "accepted"
        if hundredth in WAITING_OF_HUNDRED:
            state = "submitted"
        elif hundredth == REJECTED_OF_HUNDRED:
            state = "rejected"
        yield Performance(first + n, ask, day, state)


def _write(system: System, done: Sequence[Performance], hands: Hands) -> None:
    uploader, reviewer = hands.uploader.pk, hands.reviewer.pk
    _copy(
        "evidence_evidence",
        EVIDENCE,
        (
            (
                *(p.number, p.uuid, f"{p.ask.title} {p.number}", "", "", "internal"),
                *(1, uploader, system.pk, hands.team.pk, p.at),
            )
            for p in done
        ),
    )
    _copy(
        "evidence_evidencerevision",
        REVISIONS,
        (
            (
                *(p.number, p.uuid, 1, "first", "", p.day, p.day, p.day + DAY, p.day),
                *(p.digest, p.at, p.number, uploader, [], p.at),
            )
            for p in done
        ),
    )
    _copy(
        "evidence_blob",
        BLOBS,
        (
            (p.number, p.digest, 100_000, "text/plain", "clean", 1, "", p.at, 0)
            for p in done
        ),
    )
    _copy(
        "evidence_evidencefile",
        FILES,
        ((p.number, p.uuid, "report.txt", 0, p.number, p.number, []) for p in done),
    )
    _copy("evidence_evidencelink", LINKS, (_link(system, p, uploader) for p in done))
    decided = [p for p in done if p.state != "submitted"]
    _copy(
        "evidence_review",
        REVIEWS,
        (
            (
                *(p.number, p.uuid, "accept" if p.state == "accepted" else "reject"),
                *("" if p.state == "accepted" else "It shows another month.", p.digest),
                *(p.day, p.day, p.day + DAY, str(hands.reviewer), p.number, reviewer),
                *(uploader, False, "", p.at + dt.timedelta(hours=1)),
            )
            for p in decided
        ),
    )
    copy_events(str(system.uuid), _events(system, done))


def _link(system: System, p: Performance, uploader: int) -> tuple[Any, ...]:
    ask = p.ask
    occurrence = occurrence_of(ask.cadence, p.day)
    ends = last_day(ask.cadence, occurrence) if occurrence else None
    proves_to = proof_end_under(ask.cadence, ask.grace_days, None, ends or p.day, p.day)
    return (
        *(p.number, p.uuid, [], "customer", occurrence, ends, p.state, p.day),
        *(proves_to, p.at, 1, ask.implementation_id, uploader, system.pk, ask.pk),
        *(p.number, p.at),
    )


def _events(
    system: System, done: Sequence[Performance]
) -> Iterator[tuple[Event, dt.datetime]]:
    """Two for each row: submitted and, where it was, decided."""
    for p in done:
        verbs = ["evidence.submitted"]
        if p.state != "submitted":
            verbs.append(f"evidence.{p.state}")
        for verb in verbs:
            yield (
                Event(
                    verb=verb,
                    chain=str(system.uuid),
                    subject_type="evidence.evidencelink",
                    subject_uuid=p.uuid,
                    subject_label=f"Evidence {p.number}",
                ),
                p.at,
            )


def _copy(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    statement = f"COPY {table} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


DATED_BY_TRIGGER = (
    "controls_auditevent",
    "evidence_evidence",
    "evidence_evidencerevision",
    "evidence_evidencelink",
    "evidence_review",
)
TABLES = (
    "evidence_evidence",
    "evidence_evidencerevision",
    "evidence_blob",
    "evidence_evidencefile",
    "evidence_evidencelink",
    "evidence_review",
)


def _highest_key() -> int:
    parts = " UNION ALL ".join(f"SELECT max(id) AS id FROM {t}" for t in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM ({parts}) keys")
        (key,) = cursor.fetchone()
    return int(key)


def _count_on(cursor: Any) -> None:
    """Let new rows take keys beyond those that were written."""
    for table in (*TABLES, "controls_auditevent"):
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
            f" (SELECT coalesce(max(id), 1) FROM {table}))"
        )
