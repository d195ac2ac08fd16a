"""What page, API, export and command show: facts judged for many controls."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from controls.errors import Refused
from controls.models import System
from evidence.status.clock_parameters import (
    Window,
    messages_by_parameter,
    window_faults,
)
from evidence.status.day import Status, statuses
from evidence.status.facts import ControlFacts
from evidence.status.gather import (
    Moment,
    gather,
    implementations,
    named_controls,
    read_of_aws,
)
from evidence.status.gather_window import gather_period
from evidence.status.rows import as_bigints
from evidence.status.window import Period, period

WINDOW_THEN = """
SELECT window_start, window_end FROM controls_system_versions
 WHERE id = %s AND known_from < %s AND (known_until IS NULL OR known_until >= %s)
"""


@dataclass(frozen=True)
class ControlStatus:
    """One control of a system on one day: its row, facts, verdict and window result."""

    implementation: Mapping[str, Any]
    facts: ControlFacts
    status: Status
    basis: list[dict[str, Any]]
    artifacts: tuple[int, ...] = ()
    period: Period | None = None

    @property
    def duty_of_ours(self) -> bool:
        """Whether a class of providers alone has a duty of ours all the same (R26)."""
        return self.facts.customer_required and (
            self.facts.responsibility == "inherited"
        )


def proven_by(answer: ControlStatus) -> str:
    """Whose halves a proven control rests on: both, ours or providers; "" otherwise.

    So that registering one report never looks like our progress (R28).
    """
    return shares_of(answer.status.verdict, answer.facts)


def shares_of(verdict: str, facts: ControlFacts) -> str:
    """The same for a verdict and the facts it was given on."""
    if verdict != "proven":
        return ""
    if facts.aws_required and facts.customer_required:
        return "both"
    return "ours" if facts.customer_required else "providers"


@dataclass
class FamilyCount:
    """Proof of one family: verdicts counted, the proven ones by whose halves (R28)."""

    family: str
    verdicts: Counter[str] = field(default_factory=Counter)
    proven: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Controls of the family."""
        return sum(self.verdicts.values())


@dataclass
class Counts:
    """What a dashboard counts. `aws_only` controls are inside `partly`.

    `proven` splits the proven ones by whose halves were required: both, ours,
    providers.
    """

    classes: Counter[str]
    verdicts: Counter[str]
    proven: Counter[str]
    aws_only: int
    families: list[FamilyCount]


def today_of(system: System) -> dt.date:
    """The system's calendar day now, by the database's clock."""
    return system.day_of(instant_now())


def instant_now() -> dt.datetime:
    """This instant by the database's clock, by which things are known."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant


def now() -> dt.datetime:
    """The database's clock: the bound of what is known now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: dt.datetime = cursor.fetchone()[0]
    return instant


def moment_of(
    system: System, as_of: dt.date | None, known_at: dt.datetime | None
) -> Moment:
    """The moment a person means: today with all knowledge unless they say otherwise."""
    return Moment(on=as_of or today_of(system), known_at=known_at)


def as_known_then(system: System, day: dt.date) -> Moment:
    """`day` with what was known at its end; for today, with what is known now."""
    return Moment(on=day, known_at=min(system.end_of_day(day), now()))


NOT_RECORDED = "Nothing of this system was recorded by then. Ask about a later instant."


def window_of(system: System, known_at: dt.datetime | None = None) -> Window:
    """The system's audit window, now or as it was known then; days inclusive."""
    window = None if known_at is None else _window_then(system, known_at)
    return window or (system.window_start, system.window_end)


def refuse_unrecorded(system: System, known_at: dt.datetime | None) -> None:
    """Raise Refused for an instant before anything of the system was recorded."""
    if known_at is not None and _window_then(system, known_at) is None:
        raise Refused({"known_at": NOT_RECORDED})


def _window_then(system: System, known_at: dt.datetime) -> Window | None:
    with connection.cursor() as cursor:
        cursor.execute(WINDOW_THEN, [system.pk, known_at, known_at])
        row: Window | None = cursor.fetchone()
    return row


def refuse_window(start: dt.date, end: dt.date) -> None:
    """Raise Refused for a window out of bounds, in the wrong order or too long."""
    if faults := window_faults(start, end):
        raise Refused(messages_by_parameter(faults))


def control_statuses(
    system: System,
    moment: Moment,
    *,
    pks: Iterable[int] | None = None,
    known: Sequence[Mapping[str, Any]] | None = None,
    window: Window | None = None,
) -> list[ControlStatus]:
    """Answers in catalog order for all controls of the system, or for some.

    `known` are rows of `listed`, instead of `pks`. A constant number of statements;
    with `window` the period result as well. Raises LookupError when the system was
    not recorded by the moment.
    """
    if known is not None:
        keys = [row["id"] for row in known]
    else:
        keys = list(pks) if pks is not None else _all(system)
    every = {"implementations": as_bigints(keys)}
    aws = read_of_aws([system], moment, every)
    gathered = gather(system, keys, moment, known=known, aws=aws)
    periods: Mapping[int, Any] = {}
    if window:
        rows = gathered.rows.values()
        periods = gather_period(system, keys, *window, moment, known=rows, aws=aws)
    judged = statuses(gathered.facts, moment.on)
    return [
        ControlStatus(
            implementation=row,
            facts=gathered.facts[pk],
            status=judged[pk],
            basis=gathered.bases.get(row["basis_id"], []),
            artifacts=gathered.artifacts[pk],
            period=period(periods[pk], *window, today=moment.on) if window else None,
        )
        for pk, row in gathered.rows.items()
    ]


def listed(system: System, moment: Moment) -> list[Mapping[str, Any]]:
    """The system's controls as rows without their proof, in catalog order."""
    return implementations(system, moment)


def named(system: System, moment: Moment) -> list[Mapping[str, Any]]:
    """What names the system's controls and whose they are, in catalog order."""
    return named_controls(system, moment)


def _all(system: System) -> list[int]:
    return list(system.implementations.values_list("pk", flat=True))


def summary(answers: Sequence[ControlStatus]) -> Counts:
    """Counts by class, verdict and family."""
    families: dict[str, FamilyCount] = {}
    for answer in answers:
        name = answer.implementation["family"]
        family = families.setdefault(name, FamilyCount(name))
        family.verdicts[answer.status.verdict] += 1
        if share := proven_by(answer):
            family.proven[share] += 1
    return Counts(
        classes=Counter(a.facts.responsibility for a in answers),
        verdicts=Counter(a.status.verdict for a in answers),
        proven=sum((family.proven for family in families.values()), Counter()),
        aws_only=sum(_is_aws_only(a.status) for a in answers),
        families=[families[name] for name in sorted(families)],
    )


def _is_aws_only(judged: Status) -> bool:
    return any(reason.code == "aws_only" for reason in judged.reasons)
