"""Facts of the scenarios about time that need no database: asks, links, windows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from evidence.status import cadence
from evidence.status.day import Status, status
from evidence.status.day_ranges import Days
from evidence.status.facts import (
    AskFacts,
    LinkFacts,
    PopulationFacts,
    RequirementHistory,
    TermsFacts,
)
from evidence.status.occurrence_results import Occurrences
from evidence.status.window import Period, period
from tests.evidence.status.neutral import (
    control_facts,
    history_facts,
    link_facts,
    period_facts,
    requirement_facts,
    terms_facts,
)

D = dt.date
DAY = dt.timedelta(days=1)
YEAR = (D(2026, 1, 1), D(2026, 12, 31))


def since(day: dt.date) -> Days:
    """All days from a day on."""
    return day, D.max


def terms(every: str, grace: int, first: dt.date = D.min, last: dt.date = D.max) -> Any:
    """Terms of an ask on some days."""
    return terms_facts(first, last, title="Ask", cadence=every, grace_days=grace)


def ask(
    of_terms: TermsFacts | Sequence[TermsFacts],
    named: Days = YEAR,
    *links: LinkFacts,
    uuid: str = "r",
    populations: tuple[PopulationFacts, ...] = (),
) -> RequirementHistory:
    """An ask that names its control on some days, with the answers to it."""
    in_order = (of_terms,) if isinstance(of_terms, TermsFacts) else tuple(of_terms)
    return history_facts(uuid, in_order, (named,), links, populations)


def performed(
    every: str, about: dt.date, on: dt.date, grace: int, **more: Any
) -> LinkFacts:
    """A performance of the calendar period that holds `about`."""
    first = cadence.occurrence_of(every, about)
    assert first is not None
    last = cadence.last_day(every, first)
    ends = cadence.proof_end_under(every, grace, None, last, on)
    named = {"occurrence": first, "occurrence_ends": last, "link": f"{about} {on}"}
    return link_facts("", "e", on, ends, **(named | more))


def over(
    *asks: RequirementHistory,
    today: dt.date,
    window: Days = YEAR,
    **facts: Any,
) -> Period:
    """The result over a window of a customer control with these asks."""
    named = {"customer_required": True, "requirements": asks} | facts
    return period(period_facts("ac-2", **named), *window, today=today)


def counts(result: Period) -> tuple[int, ...]:
    """Expected, on time, late, missed, not yet due."""
    found: Occurrences = result.occurrences
    return (
        found.expected,
        found.on_time,
        found.late,
        found.missed,
        found.not_yet_due,
    )


def on_a_day(
    history: RequirementHistory, day: dt.date, *, uploaded_by: dt.date = D.max
) -> Status:
    """The verdict on a day, by the terms of that day and what was uploaded by then."""
    in_force = history.terms_on(day)
    assert in_force is not None
    known = [
        ending(link, in_force)
        for link in history.links
        if link.performed_on <= day and link.uploaded_on <= uploaded_by
    ]
    known.sort(key=lambda link: (link.ends or D.max, link.performed_on))
    asked = requirement_facts(
        history.uuid,
        in_force.title,
        in_force.cadence,
        history.named[0][0],
        grace_days=in_force.grace_days,
        latest_accepted=known[-1] if known else None,
        others_accepted=tuple(known[:-1]),
        populations=tuple(
            events
            for events in history.populations
            if events.starts <= day and events.drawn_on <= uploaded_by
        ),
        asked_days=history.named,
        population_cadence=in_force.population_cadence,
        terms=history.terms,
    )
    return status(done(asked), day)


def ending(link: LinkFacts, in_force: TermsFacts) -> LinkFacts:
    """The link with the end that proof has for days of these terms (R13)."""
    if link.occurrence_ends is None:
        return link
    began = None if in_force.first == D.min else in_force.first
    grace = in_force.grace_days or 0
    ends = cadence.proof_end_under(
        in_force.cadence, grace, began, link.occurrence_ends, link.performed_on
    )
    return replace(link, ends=ends)


def done(*asked: AskFacts) -> Any:
    """A customer control that is implemented, with these asks."""
    return control_facts(
        "ac-2",
        "customer",
        customer_required=True,
        implementation_status="implemented",
        requirements=asked,
    )


def codes(answer: Status | Period) -> list[str]:
    """The codes of its reasons."""
    return [reason.code for reason in answer.reasons]
