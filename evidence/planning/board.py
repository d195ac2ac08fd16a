"""The asks of a person's teams as My work lists and counts them, however many.

They are chosen, counted and put in order in SQL by their kept standings; the few that
are shown are judged as `evidence.planning.asks` does it. An ask stands as its worst
control (R11).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection

from controls.models import Actor, Role, System
from controls.models.held_roles import roles_now
from controls.models.systems import systems_by_day
from evidence.models import RequirementControl
from evidence.planning.asks import URGENCY, WORDS, standing
from evidence.planning.by_ask import AskRow, by_ask, to_show
from evidence.planning.narrowed_asks import SOON, AskFilter
from evidence.planning.newest_links import light
from evidence.planning.standing_scope import STANDINGS, StandingScope
from evidence.status.rows import among

# One number by which the worst control of an ask is known: urgency, day, own state, as
# `Ask.urgency`.
# Numbers of states are places in URGENCY. As by `Ask.shown_state`, those from 3 on are
# shown as overdue (1) where an older period is missing.
_DAYS, _STATES = 4_000_000, 8  # more than there are days to the end of 9999; states
ASKS = (
    STANDINGS
    + f""", judged AS (
  SELECT s.*, coalesce(s.open_due < s.today, FALSE) AS missing,
         CASE WHEN s.waiting THEN 4 WHEN s.rejected THEN 0 WHEN NOT s.proven THEN 2
              WHEN s.due IS NULL THEN 5 WHEN s.due < s.today THEN 1
              WHEN s.soon_from <= s.today THEN 3 ELSE 5 END AS state
    FROM standing s
   WHERE s.operates_from <= s.today
     AND (s.operates_until IS NULL OR s.operates_until > s.today)),
asks AS (
  SELECT ask_key, min(requirement_id) AS first_row, max(today) AS today,
         min(((CASE WHEN missing THEN least(state, 1) ELSE state END)::bigint * {_DAYS}
              + (least(coalesce(due, '9999-12-31'),
                       CASE WHEN missing THEN open_due END) - date '0001-01-01'))
             * {_STATES} + state) AS place,
         min(open_due) FILTER (WHERE missing) AS missing_due,
         bool_or(state <> 5 OR missing) AS is_open,
         bool_or(state NOT IN (4, 5) OR missing) AS is_to_do
    FROM judged GROUP BY ask_key),
worst AS (
  SELECT *, CASE WHEN place %% {_STATES} >= 3 AND place / {_STATES} / {_DAYS} = 1
                 THEN 1 ELSE place %% {_STATES} END AS state,
         coalesce(missing_due,
                  date '0001-01-01' + (place / {_STATES} %% {_DAYS})::integer) AS day
    FROM asks),
ordered AS (
  SELECT *, CASE state WHEN {URGENCY.index("waiting")} THEN 1
                 WHEN {URGENCY.index("current")} THEN 2 ELSE 0 END AS later
    FROM worst)
"""
)
COUNTED = (
    ASKS
    + """
SELECT state, is_open, is_to_do, count(*) FROM worst
 GROUP BY state, is_open, is_to_do
"""
)
# Those that fit what somebody looks for: each condition is one of AskFilter.
_FITTING = """
 FROM ordered
WHERE (is_open OR %(state)s::integer = 5)
  AND (%(state)s::integer IS NULL OR state = %(state)s::integer)
  AND (%(within)s::integer IS NULL OR day < today + %(within)s::integer)
  AND (NOT %(by_words)s OR ask_key IN (
    SELECT j.ask_key FROM judged j
      JOIN evidence_evidencerequirement r ON r.id = j.requirement_id
      JOIN controls_controlimplementation i ON i.id = r.implementation_id
      JOIN controls_control c ON c.id = i.control_id
      JOIN controls_system y ON y.id = j.system_id
     WHERE (%(system)s = '' OR y.slug = %(system)s)
       AND (upper(r.title) LIKE upper(%(words)s)
            OR upper(c.label) LIKE upper(%(words)s))))
"""
_TURN = "later, day, state, first_row"  # as AskRow.turn
NUMBER_FITTING = f"{ASKS} SELECT count(*) {_FITTING}"
FITTING = f"""
{ASKS}, shown AS (
  SELECT ask_key, {_TURN} {_FITTING}
   ORDER BY {_TURN} LIMIT %(most)s OFFSET %(after)s)
SELECT s.ask_key, j.requirement_id FROM shown s JOIN judged j USING (ask_key)
 ORDER BY s.later, s.day, s.state, s.first_row, j.requirement_id
"""


def board_of(user: Actor, now: dt.datetime) -> AskBoard:
    """What the person's own teams are to prove, on the day it is in each system."""
    mine = {
        (one.system, one.team)
        for one in roles_now(user)
        if one.role == Role.CONTRIBUTOR
    }
    systems = System.objects.held_as(user, [Role.CONTRIBUTOR]).in_bulk()
    pairs = [(systems[key], team) for key, team in mine if key in systems]
    return AskBoard(StandingScope(pairs, now))


@dataclass(frozen=True)
class AskBoard:
    """All asks of a scope: how many of each state, and page by page those that fit."""

    scope: StandingScope

    @cached_property
    def _counted(self) -> list[tuple[str, bool, bool, int]]:
        """State, whether it is open and to do, and how many. One statement."""
        rows = self._read(COUNTED)
        return [(URGENCY[state], *of_state) for state, *of_state in rows]

    @property
    def number(self) -> int:
        """How many asks there are, up to date or not."""
        return sum(number for *_, number in self._counted)

    @property
    def to_do(self) -> int:
        """For how many of them somebody of the team has something to bring now."""
        return sum(number for _, _, to_do, number in self._counted if to_do)

    def counted(self) -> list[tuple[str, str, int]]:
        """Code, word and number of the asks of each state, most urgent first."""
        counts: Counter[str] = Counter()
        for state, _, _, number in self._counted:
            counts[state] += number
        return [(s, WORDS[s], counts[s]) for s in URGENCY if counts[s]]

    def fitting(self, chosen: AskFilter) -> FittingAsks:
        """Those that fit, the oldest open period first, what waits for a review last.
        What is up to date is no work: it is among them only where it is looked for."""
        return FittingAsks(self, chosen)

    def _read(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        if not self.scope.pairs:
            return []
        with connection.cursor() as cursor:
            cursor.execute(statement, self.scope.parameters | parameters)
            return list(cursor.fetchall())

    def judged(self, keys: Sequence[int]) -> list[AskRow]:
        """The asks of some rows, judged now, in no order. Some statements."""
        rows = RequirementControl.objects.filter(pk__in=among(keys))
        by_day = systems_by_day(self.scope.systems, self.scope.instant)
        return by_ask(
            ask
            for today, systems in by_day.items()
            for ask in standing(light(rows, systems), today)
        )


@dataclass(frozen=True)
class FittingAsks:
    """Asks in their order, read by slices: what a Paginator takes."""

    board: AskBoard
    chosen: AskFilter
    _parameters: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Say what is looked for as the statements take it."""
        chosen = self.chosen
        words = re.sub(r"([\\%_])", r"\\\1", chosen.query)
        within = {"": None, "overdue": 0, "soon": SOON.days + 1}[chosen.due]
        parameters = {
            "state": URGENCY.index(chosen.state) if chosen.state else None,
            "within": within,
            "by_words": bool(chosen.system or chosen.query),
            "system": chosen.system,
            "words": f"%{words}%",
        }
        object.__setattr__(self, "_parameters", parameters)

    def __len__(self) -> int:
        """How many fit. One statement; none where the board's counts say it."""
        chosen = self.chosen
        if not (chosen.system or chosen.query or chosen.due):
            return sum(
                number
                for state, is_open, _, number in self.board._counted
                if chosen.state == state or (is_open and not chosen.state)
            )
        number = self.board._read(NUMBER_FITTING, **self._parameters)
        return int(number[0][0]) if number else 0

    def __getitem__(self, page: slice) -> list[AskRow]:
        """Those of a page with all that is shown of them."""
        after = page.start or 0
        most = None if page.stop is None else page.stop - after
        limits = {"after": after, "most": most}
        shown = self.board._read(FITTING, **self._parameters, **limits)
        places = {key: place for place, (_, key) in enumerate(shown)}
        rows = to_show(self.board.judged(list(places)))
        return sorted(
            rows,
            key=lambda row: min(places[ask.requirement.pk] for ask in row.controls),
        )

    def __iter__(self) -> Iterator[AskRow]:
        """All of them."""
        return iter(self[:])
