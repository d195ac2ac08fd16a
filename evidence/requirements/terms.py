"""What asks say on which days: written from a day on, repeated on rows as of today.

Source: rules R11, R13 and R31.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from controls.history.clock import knowledge_now
from controls.models import AuditEvent, RetrospectiveChange, System
from evidence.models import (
    EvidenceRequirement,
    Proof,
    RequirementControl,
    RequirementTerms,
)
from evidence.models.asks import TERMS_COLUMNS

# One statement, since a list may show a thousand rows of a system.
SHOW_TODAYS = """
UPDATE evidence_evidencerequirement AS r SET ({columns}) = ({terms})
  FROM evidence_requirementterms AS t
 WHERE t.ask_id = r.ask_id AND t.days @> %(today)s::date
   AND r.system_id = %(system)s AND (%(ask)s::bigint IS NULL OR r.ask_id = %(ask)s)
   AND ({rows}) IS DISTINCT FROM ({terms})
""".format(
    columns=", ".join(TERMS_COLUMNS),
    rows=", ".join(f"r.{name}" for name in TERMS_COLUMNS),
    terms=", ".join(f"t.{name}" for name in TERMS_COLUMNS),
)


def terms_on(ask: EvidenceRequirement, day: dt.date) -> RequirementTerms:
    """The terms in force on a day; every day has some."""
    return ask.terms.in_force(day).get()


def next_stated(ask: EvidenceRequirement, day: dt.date) -> dt.date | None:
    """The first day after this one for which an ask has other terms; None: none."""
    later = ask.terms.filter(days__startswith__gt=day).order_by("days").first()
    return later.first_day if later else None


def terms_from(asks: Iterable[int], day: dt.date) -> dict[int, list[RequirementTerms]]:
    """What holds on a day and what follows it, in order, by the key of the ask.

    The first of each list is in force on the day. One statement.
    """
    by_ask: defaultdict[int, list[RequirementTerms]] = defaultdict(list)
    from_then = RequirementTerms.objects.filter(
        ask__in=asks, days__overlap=DateRange(day, None)
    )
    for terms in from_then.order_by("ask", "days"):
        by_ask[terms.ask_id].append(terms)
    return dict(by_ask)


# Of terms all, of what they lead to no more than is shown.
SHOWN = (
    *(field.attname for field in RequirementTerms._meta.concrete_fields),
    *("owner_team__name", "ask__known_from", "ask__system__time_zone"),
    *("change__decided_at", "change__known_from"),
    *(
        f"change__{who}__{field}"
        for who in ("requested_by", "decided_by")
        for field in ("name", "email")
    ),
)


@dataclass(frozen=True)
class TermsShown:
    """Terms for a page, with the day they were stated, by whom, and the second officer
    where there was one; empty where the row came from a template or is older."""

    terms: RequirementTerms
    stated_on: dt.date
    stated_by: str
    second_officer: str


def terms_history(
    rows: Iterable[RequirementControl],
) -> dict[str, list[TermsShown]]:
    """The terms of these rows' asks as known now, newest days first, by the row's uuid.

    Three statements, however many rows there are.
    """
    uuid_of = {row.ask_id: str(row.uuid) for row in rows}
    events: defaultdict[str, list[AuditEvent]] = defaultdict(list)
    stated = AuditEvent.objects.filter(
        subject_uuid__in=uuid_of.values(),
        verb__in=[
            "requirement.added",
            "requirement.changed",
            "requirement.joined",
            "requirement.split",
        ],
    )
    for event in stated.order_by("at", "seq"):
        events[str(event.subject_uuid)].append(event)
    every = (
        RequirementTerms.objects.filter(ask__in=uuid_of)
        .select_related(
            "owner_team", "change__requested_by", "change__decided_by", "ask__system"
        )
        .only(*SHOWN)
    )
    shown: defaultdict[str, list[TermsShown]] = defaultdict(list)
    for terms in every.order_by("ask", "-days"):
        uuid = uuid_of[terms.ask_id]
        shown[uuid].append(_shown(terms, events[uuid]))
    return dict(shown)


def _shown(terms: RequirementTerms, events: Iterable[AuditEvent]) -> TermsShown:
    """With who stated them: by the change that two officers made, else by the log."""
    change, system = terms.change, terms.ask.system
    if change is not None:
        approved = system.day_of(change.decided_at or change.known_from)
        return TermsShown(
            terms, approved, str(change.requested_by), str(change.decided_by or "")
        )
    stated = [event for event in events if _first_day(event) == terms.first_day]
    if not stated:
        return TermsShown(terms, system.day_of(terms.ask.known_from), "", "")
    return TermsShown(terms, system.day_of(stated[-1].at), stated[-1].actor_name, "")


def _first_day(event: AuditEvent) -> dt.date | None:
    """From which day the terms hold that an event speaks of; None: always."""
    from_day = json.loads(event.body).get("from_day")
    return dt.date.fromisoformat(from_day) if from_day else None


def write_terms(
    ask: EvidenceRequirement,
    columns: Mapping[str, Any],
    *,
    from_day: dt.date,
    change: RetrospectiveChange | None,
) -> None:
    """Let `columns` (TERMS_COLUMNS) hold from a day until further notice.

    Terms in force then end the day before, those stated for later days go, and what
    links prove from that day on follows. The caller holds the system's lock.
    """
    replaced = list(
        ask.terms.select_for_update()
        .filter(days__overlap=DateRange(from_day, None))
        .order_by("days")
    )
    for terms in replaced:
        if terms.first_day is None or terms.first_day < from_day:
            terms.days = DateRange(terms.first_day, from_day)
            terms.save(update_fields=["days"])
        else:
            terms.delete()
    RequirementTerms(
        ask=ask, change=change, days=DateRange(from_day, None), **columns
    ).save(force_insert=True)
    recurring = (columns["cadence"], columns["grace_days"])
    if any((terms.cadence, terms.grace_days) != recurring for terms in replaced):
        Proof.objects.follow_terms(ask, from_day, knowledge_now())


def show_todays_terms(
    system: System, today: dt.date, ask: EvidenceRequirement | None = None
) -> int:
    """Repeat today's terms on the rows of a system, or of one ask; returns how many
    rows said something else. `today` is the system's day."""
    numbers: dict[str, Any] = {
        "today": today,
        "system": system.pk,
        "ask": ask.pk if ask else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(SHOW_TODAYS, numbers)
        return int(cursor.rowcount)
