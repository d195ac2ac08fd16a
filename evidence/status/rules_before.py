"""What the number of the rules before answered, from today's facts (R35). Pure.

Each amendment that can be told from the facts is taken back by handing today's rules
the facts as the number before read them: it knew no unstated status, no day of an
upload, one set of terms for all days, and so on. Amendments that rest on records which
it had not, or read otherwise (`NOT_COMPARED`), are not taken back: answers that differ
by them alone are not listed. Nor is where a yearly ask that ended within the window
was counted from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from evidence.status.day import status
from evidence.status.day_ranges import EVERY_DAY, both, united
from evidence.status.facts import (
    ControlFacts,
    LinkFacts,
    PeriodFacts,
    RequirementFacts,
    RequirementHistory,
    StatedDays,
)
from evidence.status.rules import EDITIONS
from evidence.status.window import period

NOT_STATED, IMPLEMENTED = "not-stated", "implemented"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is compared of a control: its day, and its window where one is asked for."""

    verdict: str
    aws_half: str
    customer_half: str
    result: str
    counts: tuple[int, int, int, int]  # expected, on time, late, missed


@dataclass(frozen=True, slots=True)
class Both:
    """The facts of one control on a day and over a window."""

    day: ControlFacts
    window: PeriodFacts


@dataclass(frozen=True, slots=True)
class RuleChange:
    """An answer by the number before and by today's, and the amended rules."""

    control_id: str
    before: Answer
    today: Answer
    rules: tuple[str, ...]


def difference(
    facts: Both, day: dt.date, start: dt.date, end: dt.date
) -> RuleChange | None:
    """How a control's answer differs from the number before; None where it does not.

    Named are the rules each of which alone changes the answer, or, where none does,
    all whose facts are other than before.
    """
    today = _answer(facts, day, start, end)
    former = facts
    for _, taken_back in TAKEN_BACK:
        former = taken_back(former)
    before = _answer(former, day, start, end)
    if before == today:
        return None
    touched = [(rule, taken_back(facts)) for rule, taken_back in TAKEN_BACK]
    touched = [(rule, other) for rule, other in touched if other != facts]
    alone = [
        rule for rule, other in touched if _answer(other, day, start, end) != today
    ]
    rules = alone or [rule for rule, _ in touched]
    return RuleChange(facts.day.control_id, before, today, tuple(dict.fromkeys(rules)))


def _answer(facts: Both, day: dt.date, start: dt.date, end: dt.date) -> Answer:
    judged = status(facts.day, day)
    over = period(facts.window, start, end, today=day)
    ours = over.occurrences
    return Answer(
        judged.verdict,
        judged.aws_half,
        judged.customer_half,
        over.result,
        (ours.expected, ours.on_time, ours.late, ours.missed),
    )


# --- one amendment each, taken back


def _without_days_of_not_applicable(facts: Both) -> Both:
    """R10: what was found not applicable on the day was so for the whole window, and
    days of it in the past excused nothing."""
    applicability = facts.day.applicability
    holds = applicability.approved and not applicability.basis_changed
    window = replace(facts.window, not_applicable=(EVERY_DAY,) if holds else ())
    return replace(facts, window=window)


def _with_every_status_stated(facts: Both) -> Both:
    """R28: a control was implemented until somebody said otherwise, and what was said
    on the day blocked no day of a window."""
    day = facts.day
    day = replace(
        day,
        implementation_status=_stated(day.implementation_status),
        worst_part=_stated(day.worst_part) if day.worst_part else None,
    )
    stated = (StatedDays(*EVERY_DAY, IMPLEMENTED),)
    return Both(day, replace(facts.window, stated=stated))


def _stated(status_said: str) -> str:
    return IMPLEMENTED if status_said == NOT_STATED else status_said


def _without_days_of_uploads(facts: Both) -> Both:
    """R14: a timely performance was on time whenever it was recorded."""
    day = replace(
        facts.day,
        requirements=tuple(_confirmed_day(r) for r in facts.day.requirements),
    )
    window = replace(
        facts.window,
        requirements=tuple(
            replace(history, links=_confirmed(history.links))
            for history in facts.window.requirements
        ),
    )
    return Both(day, window)


def _confirmed_day(requirement: RequirementFacts) -> RequirementFacts:
    latest = requirement.latest_accepted
    return replace(
        requirement,
        latest_accepted=replace(latest, day_confirmed=True) if latest else None,
        others_accepted=_confirmed(requirement.others_accepted),
    )


def _confirmed(links: Iterable[LinkFacts]) -> tuple[LinkFacts, ...]:
    return tuple(replace(link, day_confirmed=True) for link in links)


def _without_breaks(facts: Both) -> Both:
    """R14: a period was expected while its ask was in operation, by its newest terms,
    whatever the class or the terms on its last day."""
    window = facts.window
    asks = tuple(_in_operation(history) for history in window.requirements)
    operation = [days for history in asks for days in history.named]
    required = united([*window.required, *operation]) if window.required else ()
    return replace(
        facts, window=replace(window, requirements=asks, required=tuple(required))
    )


def _in_operation(history: RequirementHistory) -> RequirementHistory:
    """One ask from its first to its last day, as its newest terms say."""
    if not history.named or not history.terms:
        return history
    first = min(days[0] for days in history.named)
    last = max(days[1] for days in history.named)
    newest = replace(history.terms[-1], first=EVERY_DAY[0], last=EVERY_DAY[1])
    return replace(history, named=((first, last),), terms=(newest,))


def _without_unasked_days(facts: Both) -> Both:
    """R11: days on which nothing was asked yet counted for nothing."""
    window = facts.window
    if not window.requirements:
        return facts
    named = united(days for history in window.requirements for days in history.named)
    required = tuple(both(window.required, named))
    return replace(facts, window=replace(window, required=required))


def _without_type_two_days(facts: Both) -> Both:
    """R30: proof of design counted on every day; the engagement was not looked at."""
    return Both(replace(facts.day, type2=False), replace(facts.window, type2=()))


def _without_waived_rows(facts: Both) -> Both:
    """R31: what fell away by a change in retrospect left no row."""
    return replace(facts, window=replace(facts.window, former=()))


def _without_its_last_day(facts: Both) -> Both:
    """R34: the window's result did not look at the state on its last day."""
    return replace(facts, window=replace(facts.window, at_end=None))


# In the order in which they are taken back: terms and days first, then what they leave.
TAKEN_BACK: Sequence[tuple[str, Callable[[Both], Both]]] = (
    ("R10", _without_days_of_not_applicable),
    ("R14", _without_days_of_uploads),
    ("R14", _without_breaks),
    ("R11", _without_unasked_days),
    ("R28", _with_every_status_stated),
    ("R30", _without_type_two_days),
    ("R31", _without_waived_rows),
    ("R34", _without_its_last_day),
)
# Amended by today's number, and not taken back here.
NOT_COMPARED: tuple[str, ...] = tuple(
    rule
    for rule in EDITIONS[-1].amended
    if rule not in {taken for taken, _ in TAKEN_BACK}
)
