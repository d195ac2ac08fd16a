"""Several controls put under one ask from a day on, and taken apart again.

Days before stay as they are: a row keeps its id, links and proof, and its own terms say
under which ask it stands from which day. From today on one officer decides; an earlier
day waits for a second one. Source: rules R11, R14, R18, R31 and R32.

One file: all three are requested, locked and carried out by the same steps.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.errors import Refused, StaleVersion, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    RetrospectiveChange,
    System,
)
from controls.models.audit import Event, about
from controls.retrospect import first_day_of, request_change
from evidence.models import EvidenceRequirement, RequirementControl, RequirementTerms
from evidence.models.asks import TERMS_COLUMNS
from evidence.models.requirements import RequirementOrigin
from evidence.requirements.baseline_frequency import stated_for
from evidence.requirements.days_before import refuse_less_of_the_past
from evidence.requirements.join_checks import (
    AskTerms,
    NamedControl,
    label_of,
    line_faults,
    misfits,
    other_teams,
    refuse_terms,
    stated_later,
)
from evidence.requirements.joined import (
    rows_under,
    schedule_from,
    stricter_than,
    team_of,
)
from evidence.requirements.terms import show_todays_terms, terms_on, write_terms
from evidence.requirements.unfinished_terms import unfinished_faults
from evidence.status.cadence import longest_grace

JOIN, SPLIT = "join", "split"  # kinds of change in retrospect
# Of one ask: any family of a baseline fits. A reviewer reads a line for each and judges
# each link by itself; nobody reads a whole baseline in one act.
MAX_CONTROLS = 100
TOO_MANY = (
    f"One ask has at most {MAX_CONTROLS} controls, since a reviewer reads a line of"
    " each. Join the others under another ask."
)
STALE = "Somebody changed what is asked of {} since you opened it. Look again."


@transaction.atomic
def join(
    system: System,
    terms: AskTerms,
    lines: Sequence[NamedControl],
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
    reason: str = "",
) -> EvidenceRequirement | RetrospectiveChange:
    """Put rows of a system under one new ask with these terms from a day on.

    Officers only. Returns the ask, or the change that waits for a second officer where
    the day is before `today`, the system's day (needs `reason`). Raises Refused with a
    sentence for each row that cannot stand under it, StaleVersion, NotPermitted.
    """
    rows = locked_rows(system, lines, by)
    if len(rows) < 2:
        raise Refused({"controls": "Join at least two controls."})
    columns = terms.columns(team_of(row) for row in rows)
    refuse_terms(terms, columns)
    refusals = [*misfits(rows, columns, from_day), *other_teams(rows, terms)]
    if from_day >= today:  # an earlier day waits for a second officer anyway
        refusals += unfinished_faults(rows, columns, from_day)
        refusals += stated_later(rows, from_day)
    _refuse(refusals, system, rows, lines, columns["cadence"], from_day)
    if from_day < today:
        body = _body(rows, lines, from_day) | {"title": terms.title, "terms": columns}
        return request_change(
            system,
            kind=JOIN,
            body=body,
            first_day=from_day,
            reason=reason,
            by=by,
            today=today,
        )
    return carry_out_join(
        system, columns, with_lines(rows, lines), from_day=from_day, by=by, today=today
    )


@transaction.atomic
def join_to(
    ask: EvidenceRequirement,
    lines: Sequence[NamedControl],
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
) -> EvidenceRequirement:
    """Put further rows under an ask that joins some, from today or a later day on.

    Raises as `join` does.
    """
    system = ask.system
    rows = locked_rows(system, lines, by)
    columns = _terms_of(ask, from_day)
    if from_day < today:
        raise Refused({"from_day": "Choose today or a later day."})
    refusals = misfits(rows, columns, from_day) or _of_days_to_come(ask, rows, from_day)
    refusals += unfinished_faults(rows, columns, from_day)
    refusals += stated_later(rows, from_day)
    standing = {row.implementation_id for row in rows_under(ask, from_day)}
    refusals += [
        f"{label_of(row)} is one of its controls already."
        for row in rows
        if row.implementation_id in standing
    ]
    if len(standing) + len(rows) > MAX_CONTROLS:
        refusals.append(TOO_MANY)
    _refuse(refusals, system, rows, lines, columns["cadence"], from_day)
    return carry_out_join(
        system,
        columns,
        with_lines(rows, lines),
        from_day=from_day,
        by=by,
        today=today,
        ask=ask,
    )


@transaction.atomic
def add_control(
    ask: EvidenceRequirement,
    implementation: ControlImplementation,
    what_it_shows: str,
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
) -> RequirementControl:
    """Name one more control in an ask, which nothing was asked of by it before.

    It is expected from its day on; an earlier day is a first statement and no change,
    unless the ask is rarer than what is asked of the control anyway.
    What was brought before may be linked to it and reviewed. Raises as `join` does.
    """
    system = locked_system(ask.system_id, by)
    columns = _terms_of(ask, from_day)
    first_day = first_day_of(system)
    if from_day < first_day:
        raise Refused({"from_day": f"The system's first day is {first_day}."})
    if implementation.system_id != system.pk:
        raise Refused({"controls": "An ask stays within its system."})
    row = RequirementControl(
        system=system,
        implementation=implementation,
        origin=RequirementOrigin.LOCAL,
        operates_from=from_day,
        what_it_shows=what_it_shows.strip(),
        **(columns | {"joined_id": None}),
    )
    refusals = line_faults([(row, what_it_shows)])
    standing = {known.implementation_id for known in rows_under(ask, from_day)}
    if implementation.pk in standing:
        refusals.append(f"{label_of(row)} is one of its controls already.")
    if len(standing) >= MAX_CONTROLS:
        refusals.append(TOO_MANY)
    refusals += stricter_than(columns["cadence"], [row], stated_for(system))
    refusals += _of_days_to_come(ask, [row], from_day)
    if refusals:
        raise Refused({"controls": refusals})
    row.full_clean(exclude=["system", "implementation", "ask"])
    refuse_less_of_the_past(row, today)
    RequirementControl.objects.add_with_asks([row])
    _write(row, ask, from_day)
    show_todays_terms(system, today, row.ask)
    row.refresh_from_db()
    AuditEvent.objects.append(
        about(
            row,
            "requirement.added",
            by=by,
            cadence=row.cadence,
            ask=str(ask.uuid),
            from_day=str(from_day),
        )
    )
    return row


@transaction.atomic
def split(
    ask: EvidenceRequirement,
    requirements: Iterable[uuid.UUID],
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
    reason: str = "",
) -> RetrospectiveChange | None:
    """Let rows of an ask stand alone again from a day on.

    Each says again what it said before it was joined; one that was named by the ask
    from its first day on goes on with the ask's words. Returns None, or the change that
    waits for a second officer where the day is before `today`. Raises as `join` does.
    """
    system = locked_system(ask.system_id, by)
    named = set(requirements)
    rows = [row for row in rows_under(ask, from_day, locked=True) if row.uuid in named]
    if not rows or len(rows) < len(named):
        raise TransitionNotAllowed(
            f"Not all of these controls stand under this ask on {from_day}. Look again."
        )
    if from_day < today:
        body = {
            "ask": str(ask.uuid),
            "title": rows[0].title,
            "from_day": str(from_day),
            "controls": ", ".join(label_of(row) for row in rows),
            "rows": {str(row.uuid): row.version for row in rows},
        }
        return request_change(
            system,
            kind=SPLIT,
            body=body,
            first_day=from_day,
            reason=reason,
            by=by,
            today=today,
        )
    faults = [
        fault
        for row in rows
        for fault in unfinished_faults([row], _alone(row, ask, from_day), from_day)
    ]
    if faults:
        raise Refused({"from_day": faults})
    carry_out_split(system, ask, rows, from_day=from_day, by=by, today=today)
    return None


def carry_out_join(
    system: System,
    columns: Mapping[str, Any],
    lines: Sequence[tuple[RequirementControl, str]],
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
    ask: EvidenceRequirement | None = None,
    change: RetrospectiveChange | None = None,
) -> EvidenceRequirement:
    """Write it for locked rows, under a new ask or one that joins some already."""
    under = ask or EvidenceRequirement.objects.create(system=system)
    controls = [label_of(row) for row, _ in lines]
    for row, what_it_shows in lines:
        if ask is None:
            write_terms(
                row.ask,
                dict(columns) | {"joined_id": under.pk},
                from_day=from_day,
                change=change,
            )
        else:
            _write(row, under, from_day)
        row.what_it_shows = what_it_shows
    if ask is not None:
        changed = EvidenceRequirement.objects.filter(pk=ask.pk)
        changed.update(version=F("version") + 1)
    _save(system, [row for row, _ in lines], today)
    events = [
        _event(
            row,
            "requirement.joined",
            by,
            from_day,
            change,
            ask=str(under.uuid),
            title=columns["title"],
            cadence=columns["cadence"],
            controls=controls,
            what_it_shows=what_it_shows,
        )
        for row, what_it_shows in lines
    ]
    AuditEvent.objects.append_all(events)
    return under


def carry_out_split(
    system: System,
    ask: EvidenceRequirement,
    rows: Sequence[RequirementControl],
    *,
    from_day: dt.date,
    by: Actor,
    today: dt.date,
    change: RetrospectiveChange | None = None,
) -> None:
    for row in rows:
        columns = _alone(row, ask, from_day)
        write_terms(row.ask, columns, from_day=from_day, change=change)
    EvidenceRequirement.objects.filter(pk=ask.pk).update(version=F("version") + 1)
    _save(system, rows, today)
    AuditEvent.objects.append_all(
        [
            _event(row, "requirement.split", by, from_day, change, ask=str(ask.uuid))
            for row in rows
        ]
    )


def _alone(
    row: RequirementControl, ask: EvidenceRequirement, from_day: dt.date
) -> dict[str, Any]:
    """Columns of the terms of a row that stands alone again."""
    own = _own_terms(row, ask, from_day)
    return {name: getattr(own, name) for name in TERMS_COLUMNS} | {"joined_id": None}


def _own_terms(
    row: RequirementControl, ask: EvidenceRequirement, from_day: dt.date
) -> RequirementTerms:
    """What a row said before it was joined; else what it says on the day."""
    joined = row.ask.terms.filter(joined=ask).order_by("days").first()
    first_day = joined.first_day if joined else None
    if first_day is not None and row.operates_from < first_day:
        alone = row.ask.terms.filter(joined=None, days__endswith__lte=first_day)
        if before := alone.order_by("-days").first():
            return before
    return terms_on(row.ask, from_day)


def _of_days_to_come(
    ask: EvidenceRequirement, rows: Sequence[RequirementControl], from_day: dt.date
) -> list[str]:
    """Why rows may not stand under all that an ask says from a day on (R12, R18).

    Its long grace was given by two officers to the controls that it named then.
    """
    refusals = []
    stated = stated_for(ask.system)
    for number, terms in enumerate(schedule_from(ask, from_day)):
        longest = longest_grace(terms.cadence)
        if longest is not None and terms.grace_days > longest:
            refusals.append(
                f"This ask gives {terms.grace_days} days of grace, more than one"
                f" officer may give: shorten it to {longest}, add the control, then"
                " ask a second officer for more."
            )
        if number:  # what it says on the day itself is told already
            first_day = terms.first_day or from_day
            columns = {"cadence": terms.cadence, "purpose": terms.purpose}
            named = [row for row in rows if row.pk]
            later = stricter_than(terms.cadence, rows, stated)
            later += misfits(named, columns, from_day)
            refusals += [f"From {first_day} on: {sentence}" for sentence in later]
    return list(dict.fromkeys(refusals))


def _write(
    row: RequirementControl, ask: EvidenceRequirement, from_day: dt.date
) -> None:
    """Let a row's own ask say what the joined one says from a day on."""
    for terms in schedule_from(ask, from_day):
        columns = {name: getattr(terms, name) for name in TERMS_COLUMNS}
        first_day = max(terms.first_day or from_day, from_day)
        write_terms(row.ask, columns, from_day=first_day, change=None)


def _save(system: System, rows: Iterable[RequirementControl], today: dt.date) -> None:
    for row in rows:
        row.version = F("version") + 1
        row.save(update_fields=["what_it_shows", "version"])
        show_todays_terms(system, today, row.ask)
        row.refresh_from_db()


def _event(
    row: RequirementControl,
    verb: str,
    by: Actor,
    from_day: dt.date,
    change: RetrospectiveChange | None,
    **body: Any,
) -> Event:
    return about(
        row,
        verb,
        by=by,
        from_day=str(from_day),
        change=str(change.uuid) if change else None,
        **body,
    )


def locked_system(pk: int, by: Actor) -> System:
    system = System.objects.select_for_update(of=("self",)).get(pk=pk)
    require_officer(system, by)
    return system


def locked_rows(
    system: System, lines: Sequence[NamedControl], by: Actor
) -> list[RequirementControl]:
    """The rows of the lines, locked after their system, in the order of the lines."""
    locked_system(system.pk, by)
    if len(lines) > MAX_CONTROLS:
        raise Refused({"controls": TOO_MANY})
    stored = {
        row.uuid: row
        for row in RequirementControl.objects.select_for_update(of=("self",))
        .filter(system=system, uuid__in=[line.requirement for line in lines])
        .for_listing()
        .select_related("ask")
        .order_by("pk")
    }
    if len(stored) < len(lines):
        raise Refused({"controls": "Not all of these are asked in this system, once."})
    for line in lines:
        row = stored[line.requirement]
        if line.version is not None and line.version != row.version:
            raise StaleVersion(STALE.format(label_of(row)))
    return [stored[line.requirement] for line in lines]


def _refuse(
    refusals: list[str],
    system: System,
    rows: Sequence[RequirementControl],
    lines: Sequence[NamedControl],
    cadence: str,
    from_day: dt.date,
) -> None:
    """Raise Refused with every sentence at once, if there is one."""
    faults = line_faults(with_lines(rows, lines))
    faults += refusals + stricter_than(cadence, rows, stated_for(system))
    if faults:
        raise Refused({"controls": faults})
    first_day = first_day_of(system)
    if from_day < first_day:
        raise Refused({"from_day": f"The system's first day is {first_day}."})


def _terms_of(ask: EvidenceRequirement, day: dt.date) -> dict[str, Any]:
    """What a joined ask says on a day. Raises TransitionNotAllowed where it names no
    control then."""
    rows = rows_under(ask, day)
    if not rows:
        raise TransitionNotAllowed(f"This ask names no control on {day}.")
    held = terms_on(rows[0].ask, day)
    return {name: getattr(held, name) for name in TERMS_COLUMNS}


def with_lines(
    rows: Iterable[RequirementControl], lines: Iterable[NamedControl]
) -> list[tuple[RequirementControl, str]]:
    """Each row with the line that is given for it."""
    texts = {line.requirement: line.what_it_shows.strip() for line in lines}
    return [(row, texts[row.uuid]) for row in rows]


def _body(
    rows: Iterable[RequirementControl], lines: Sequence[NamedControl], from_day: dt.date
) -> dict[str, Any]:
    """What waits for a second officer: the rows as they were, each with its line."""
    return {
        "from_day": str(from_day),
        "controls": ", ".join(label_of(row) for row in rows),
        "rows": [
            {
                "requirement": str(row.uuid),
                "control": label_of(row),
                "version": row.version,
                "what_it_shows": text,
            }
            for row, text in with_lines(rows, lines)
        ],
    }
