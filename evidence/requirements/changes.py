"""What is asked of our halves, tuned by officers: added and changed.

From today or a later day one officer decides. What alters an answer about an earlier
day, long grace, asking only once from now on, asking from a later day than was stated
where nothing else asks as much, and another cadence before anything fell due under the
last one wait for a second officer; the change that waits is returned.
Source: rules R11 to R14, R18, R31 and R32.

One file: what is said when something is added is what is changed later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import known_today
from controls.errors import Refused
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    RetrospectiveChange,
    Team,
)
from controls.models.audit import about
from controls.retrospect import first_day_of
from evidence.models import (
    EvidenceRequirement,
    RemarkKind,
    ReportRemark,
    RequirementControl,
)
from evidence.models.asks import TERMS_COLUMNS, Cadence
from evidence.models.requirements import RequirementOrigin
from evidence.requirements.baseline_frequency import stated_for
from evidence.requirements.days_before import refuse_less_of_the_past
from evidence.requirements.joined import (
    first_days_under,
    joined_on,
    rows_from,
    stricter_than,
)
from evidence.requirements.odp_frequency import less_frequent
from evidence.requirements.retiring import leaves_less
from evidence.requirements.row_steps import (
    locked_row,
    refuse_stale,
    request_for_row,
)
from evidence.requirements.terms import (
    next_stated,
    show_todays_terms,
    terms_on,
    write_terms,
)
from evidence.requirements.unfinished_terms import unfinished_since
from evidence.status.cadence import (
    POPULATION_CADENCE,
    default_grace,
    longest_grace,
)

IN_RETROSPECT, LONG_GRACE = "terms", "long-grace"  # kinds that two officers decide


@dataclass(frozen=True)
class NewTerms:
    """What an officer says about a requirement.

    `grace_days` None: the default of the cadence. `lead_days` None: the default.
    `what_it_shows` None: as it is. `population_cadence` is read per event only.
    """

    title: str
    cadence: str
    purpose: str
    operates_from: dt.date
    guidance: str = ""
    good_proof: str = ""
    owner_team: Team | None = None
    grace_days: int | None = None
    lead_days: int | None = None
    rarer_because: str = ""
    what_it_shows: str | None = None
    population_cadence: str = POPULATION_CADENCE

    @classmethod
    def stated_by(cls, row: RequirementControl) -> NewTerms:
        """What a row says, to state it again with some of it changed."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})

    def of_ask(self) -> dict[str, Any]:
        """What the ask's terms say; the default grace filled in."""
        columns = {
            name: getattr(self, name)
            for name in TERMS_COLUMNS
            if name not in {"owner_team_id", "joined_id"}
        }
        columns["owner_team_id"] = self.owner_team.pk if self.owner_team else None
        if self.grace_days is None:
            columns["grace_days"] = default_grace(self.cadence, self.population_cadence)
        return columns

    def of_row(self) -> dict[str, Any]:
        """What the control's own row says."""
        columns: dict[str, Any] = {
            "operates_from": self.operates_from,
            "rarer_because": self.rarer_because,
        }
        if self.what_it_shows is not None:
            columns["what_it_shows"] = self.what_it_shows
        return columns


@dataclass(frozen=True)
class TermsChange:
    """A change of one row's ask: `terms` from `from_day` on, empty where those stay;
    `row` are columns of the row."""

    from_day: dt.date
    terms: dict[str, Any]
    row: dict[str, Any]

    def alters_from(self, stored: RequirementControl) -> dt.date | None:
        """The earliest day whose answer it may alter; None: it alters none."""
        days = [self.from_day] if self.terms else []
        operates_from = self.row.get("operates_from", stored.operates_from)
        if operates_from != stored.operates_from:
            days += [operates_from, stored.operates_from]
        return min(days, default=None)

    def as_body(self) -> dict[str, Any]:
        """As it waits for a second officer; days as text."""
        row = {
            name: str(value) if isinstance(value, dt.date) else value
            for name, value in self.row.items()
        }
        return {"from_day": str(self.from_day), "terms": self.terms, "row": row}


def _refuse_less_frequent(
    implementation: ControlImplementation, terms: NewTerms, *, before: str = ""
) -> None:
    """R18: less often than the baseline's own parameter needs a reason. `before` is
    the cadence that the terms replace: what was asked at a rhythm is not asked at a
    rarer one by being asked per event."""
    stated = stated_for(implementation.system).get(implementation.control_id)
    how_often = terms.cadence
    had_a_rhythm = before not in {"", Cadence.PER_EVENT}
    if terms.cadence == Cadence.PER_EVENT and (
        # rarer than populations are drawn where nobody says how often (R16)
        had_a_rhythm or less_frequent(terms.population_cadence, POPULATION_CADENCE)
    ):
        how_often = terms.population_cadence
    if stated is None or not less_frequent(how_often, stated.cadence):
        return
    if not terms.rarer_because.strip():
        sentence = f"The baseline says “{stated.text}” ({stated.parameter})."
        raise Refused({"rarer_because": f"{sentence} Say why less often will do."})


@transaction.atomic
def add_requirement(
    implementation: ControlImplementation,
    terms: NewTerms,
    *,
    by: Actor,
    user_control: ReportRemark | None = None,
) -> RequirementControl:
    """Ask one more thing of our half of a control. Officers only.

    It may be asked from an earlier day, not before the system's first day: a first
    statement is no change; days that nothing was asked of not by less than is asked
    besides. Long grace is refused here; it is a change of its own.
    With `user_control`, what a provider's report expects of us, our half is required
    while it is asked, whatever the class (R26).
    """
    system = implementation.system
    require_officer(system, by)
    _refuse_less_frequent(implementation, terms)
    columns = terms.of_ask()
    if _is_long(columns):
        longest = longest_grace(terms.cadence, terms.population_cadence)
        sentence = (
            f"One officer allows at most {longest} days of grace: add it with these,"
            " then ask a second officer for more."
        )
        raise Refused({"grace_days": sentence})
    first_day = first_day_of(system)
    if terms.operates_from < first_day:
        raise Refused({"operates_from": f"The system's first day is {first_day}."})
    added = RequirementControl(
        system=system,
        implementation=implementation,
        origin=RequirementOrigin.LOCAL,
        user_control=user_control,
        **columns,
        **terms.of_row(),
    )
    added.full_clean(exclude=["system", "implementation", "ask"])
    if user_control and user_control.kind != RemarkKind.USER_CONTROL:
        raise Refused({"user_control": "No provider's report expects this of us."})
    refuse_less_of_the_past(added, known_today(system))
    RequirementControl.objects.add_with_asks([added])
    AuditEvent.objects.append(
        about(
            added,
            "requirement.added",
            by=by,
            cadence=added.cadence,
            user_control=str(user_control.uuid) if user_control else "",
        )
    )
    return added


@transaction.atomic
def change_requirement(
    requirement: RequirementControl,
    terms: NewTerms,
    *,
    version: int | None,
    by: Actor,
    today: dt.date,
    from_day: dt.date | None = None,
    reason: str = "",
) -> RetrospectiveChange | None:
    """Change what is asked from a day on, or ask a second officer to.

    `from_day` None is `today`, the system's day. From then on the terms replace those
    in force and those stated for later days. Returns None when it is done, else the
    change that waits: it alters an answer about an earlier day, the grace becomes
    longer than half the period, `once` replaces another cadence, nothing fell due under
    the cadence that it replaces, or it is asked from a later day on and nothing else
    asks as much; those need `reason`. Raises NotPermitted, StaleVersion, Refused by
    field.
    """
    stored = locked_row(requirement, by)
    refuse_stale(stored, version)
    _refuse_less_frequent(stored.implementation, terms, before=stored.cadence)
    proposed = _difference(stored, terms, from_day or today)
    if not (proposed.terms or proposed.row):
        return None
    _refuse_after_end(stored, proposed)
    _refuse_stricter_companions(stored, proposed)
    first_day = proposed.alters_from(stored)
    kind = ""
    if first_day is not None and first_day < today:
        kind = IN_RETROSPECT
    elif _puts_off(stored, proposed):
        kind = LONG_GRACE
    if not kind:
        carry_out_terms(stored, proposed, by=by, today=today)
        return None
    _refuse_invalid(stored, proposed)
    rows = companions_of(stored, proposed.from_day) if proposed.terms else []
    return request_for_row(
        stored,
        kind,
        first_day=first_day or today,
        reason=reason,
        by=by,
        today=today,
        more=proposed.as_body() | {"companions": labels_by_row(rows)},
    )


@dataclass(frozen=True)
class Outlook:
    """What a change would do: `waits` for a second officer; the days of grace from
    then on; ids of controls that stand under the same ask and change with it; the first
    later day for which other terms are stated, that these would replace."""

    waits: bool
    grace_days: int
    companions: Sequence[str]
    replaces_from: dt.date | None


def outlook_of_change(
    requirement: RequirementControl, terms: NewTerms, *, today: dt.date
) -> Outlook | None:
    """What `change_requirement` would do from today on; None: nothing. Writes nothing.

    Raises Refused as it does.
    """
    _refuse_less_frequent(requirement.implementation, terms, before=requirement.cadence)
    proposed = _difference(requirement, terms, today)
    if not (proposed.terms or proposed.row):
        return None
    _refuse_after_end(requirement, proposed)
    _refuse_stricter_companions(requirement, proposed)
    first_day = proposed.alters_from(requirement)
    waits = bool(first_day and first_day < today)
    waits = waits or _puts_off(requirement, proposed)
    _refuse_invalid(requirement, proposed)
    rows = companions_of(requirement, today)
    return Outlook(
        waits=waits,
        grace_days=int(terms.of_ask()["grace_days"]),
        companions=list(labels_by_row(rows).values()),
        replaces_from=next_stated(requirement.ask, today) if proposed.terms else None,
    )


def carry_out_terms(
    stored: RequirementControl,
    proposed: TermsChange,
    *,
    by: Actor,
    today: dt.date,
    change: RetrospectiveChange | None = None,
) -> None:
    """Write a change of a locked row, its ask and what links prove by it."""
    before = {name: str(getattr(stored, name)) for name in proposed.row}
    companions: list[RequirementControl] = []
    asks = [stored.ask]
    if proposed.terms:
        held = terms_on(stored.ask, proposed.from_day)
        before |= {
            name: str(getattr(held, name))
            for name, value in proposed.terms.items()
            if getattr(held, name) != value
        }
        companions = companions_of(stored, proposed.from_day, locked=True)
        first_days = {stored.ask_id: proposed.from_day}
        if held.joined:  # whoever joins it later says the same, and so do ended rows
            first_days |= first_days_under(held.joined, proposed.from_day)
        asks = list(EvidenceRequirement.objects.filter(pk__in=first_days))
        for ask in asks:
            write_terms(ask, proposed.terms, from_day=first_days[ask.pk], change=change)
    _refuse_invalid(stored, proposed)
    for name, value in proposed.row.items():
        setattr(stored, name, value)
    stored.version = F("version") + 1
    stored.save(update_fields=[*proposed.row, "version"])
    for row in companions:
        row.version = F("version") + 1
        row.save(update_fields=["version"])
    for ask in asks:
        show_todays_terms(stored.system, today, ask)
    stored.refresh_from_db()
    after = proposed.row | proposed.terms
    events = [
        about(
            row,
            "requirement.changed",
            by=by,
            before={name: before[name] for name in altered},
            after={name: str(after[name]) for name in altered},
            from_day=str(proposed.from_day) if proposed.terms else None,
            change=str(change.uuid) if change else None,
        )
        for row, altered in [
            (stored, list(before)),
            *((row, [n for n in before if n in proposed.terms]) for row in companions),
        ]
    ]
    AuditEvent.objects.append_all(events)


def _difference(
    stored: RequirementControl, terms: NewTerms, from_day: dt.date
) -> TermsChange:
    """What differs from the terms in force on a day, and from the row."""
    held = terms_on(stored.ask, from_day)
    columns = terms.of_ask() | {"joined_id": held.joined_id}
    same = all(getattr(held, name) == value for name, value in columns.items())
    row = {
        name: value
        for name, value in terms.of_row().items()
        if getattr(stored, name) != value
    }
    return TermsChange(from_day, {} if same else columns, row)


def _refuse_after_end(stored: RequirementControl, proposed: TermsChange) -> None:
    """Terms of days on which nothing is asked any more would say what is not so."""
    until = stored.operates_until
    if proposed.terms and until is not None and proposed.from_day >= until:
        sentence = (
            f"This is no longer asked from {until} on. Choose an earlier day, or add"
            " it to the control anew."
        )
        raise Refused({"from_day": sentence})


def _refuse_stricter_companions(
    stored: RequirementControl, proposed: TermsChange
) -> None:
    """R18: one ask is not rarer than the own parameter of any of its controls."""
    if not proposed.terms:
        return
    companions = companions_of(stored, proposed.from_day)
    stated = stated_for(stored.system) if companions else {}
    if refusals := stricter_than(proposed.terms["cadence"], companions, stated):
        raise Refused({"cadence": refusals})


def companions_of(
    stored: RequirementControl, day: dt.date, *, locked: bool = False
) -> list[RequirementControl]:
    """The other rows that stand under one ask with a row on a day, or will do later."""
    under = joined_on(stored, day)
    if under is None:
        return []
    rows = rows_from(under, day, locked=locked)
    return [row for row in rows if row.pk != stored.pk]


def labels_by_row(rows: Sequence[RequirementControl]) -> dict[str, str]:
    """The id of the control of each row, by the row's uuid."""
    return {str(row.uuid): row.implementation.control.label for row in rows}


def _puts_off(stored: RequirementControl, proposed: TermsChange) -> bool:
    """Whether something falls due so much later, or never, that two officers decide."""
    begins = proposed.row.get("operates_from", stored.operates_from)
    if begins > stored.operates_from and leaves_less(stored, stored.operates_from):
        return True  # what is asked later only is retired until then
    if not proposed.terms:
        return False
    if _grows_long(stored, proposed):
        return True
    companions = companions_of(stored, proposed.from_day)
    asks = {row.ask_id for row in (stored, *companions)}
    return bool(unfinished_since(asks, proposed.terms, proposed.from_day))


def _is_long(terms: dict[str, Any]) -> bool:
    """Whether grace is longer than half the period (R12)."""
    how_often = terms.get("population_cadence", POPULATION_CADENCE)
    longest = longest_grace(terms["cadence"], how_often)
    return longest is not None and terms["grace_days"] > longest


def _grows_long(stored: RequirementControl, proposed: TermsChange) -> bool:
    """Whether long grace is new, or no end: what two officers decided once stays.

    What is asked once is never due again, so its last proof would count without an end
    (R13): the longest grace there is.
    """
    held = terms_on(stored.ask, proposed.from_day)
    if proposed.terms["cadence"] == Cadence.ONCE != held.cadence:
        return True
    same = all(
        getattr(held, name) == proposed.terms[name]
        for name in ("cadence", "population_cadence", "grace_days")
    )
    return not same and _is_long(proposed.terms)


def _refuse_invalid(stored: RequirementControl, proposed: TermsChange) -> None:
    """Raise what the row's own rules say of the change; the row stays as it is."""
    trial = RequirementControl(
        **{
            field.attname: getattr(stored, field.attname)
            for field in RequirementControl._meta.concrete_fields
        }
    )
    for name, value in (proposed.terms | proposed.row).items():
        setattr(trial, name, value)
    excluded = ["id", "uuid", "system", "implementation", "ask", "version"]
    trial.full_clean(exclude=excluded, validate_unique=False)
