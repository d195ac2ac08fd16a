"""What a window expects of our half, and what became of it. Pure.

Both days of a window are inclusive. Source: rules R12 to R14, R16, R30 and R31.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from evidence.status.day_ranges import Days
from evidence.status.duty import (
    AskedPeriod,
    asked_days,
    asked_periods,
    event_days,
    standing_days,
)
from evidence.status.events import days_of_events, judge_events, populations_of
from evidence.status.facts import (
    FormerFacts,
    LinkFacts,
    PeriodFacts,
    RequirementHistory,
)
from evidence.status.occurrence_results import (
    OccurrenceResult,
    Occurrences,
    Outcome,
    Outside,
)


def occurrences_of(
    facts: PeriodFacts, start: dt.date, end: dt.date, today: dt.date
) -> Occurrences:
    """Every occurrence expected in start..end as it stands on `today`, counted."""
    results = _marked(
        _results(facts, start, end, today), facts.former, start, end, today
    )
    results = [_placed(result, start, end) for result in results]
    outcomes = [result.outcome for result in results]
    populations = populations_of(facts, start, end)
    counted = [r for r in results if r.outcome not in {"cut_short", "waived"}]
    return Occurrences(
        expected=len(counted),
        on_time=outcomes.count("on_time"),
        late=outcomes.count("late"),
        missed=outcomes.count("missed"),
        not_yet_due=outcomes.count("not_yet_due"),
        results=tuple(results),
        recorded_late=sum(
            r.outcome == "on_time" and r.recorded_late_days > 0 for r in counted
        ),
        within_grace=sum(r.within_grace for r in counted),
        cut_short=outcomes.count("cut_short"),
        waived=outcomes.count("waived"),
        before_window=sum(r.outside == "before" for r in counted),
        after_window_within_grace=sum(
            r.outside == "after_within_grace" for r in counted
        ),
        sampled=sum(events.sample or 0 for events in populations),
        proven=sum(events.proven for events in populations),
        deviations=sum(events.deviations for events in populations),
        open=sum(events.open for events in populations),
        event_days=days_of_events(facts, start, end, today),
    )


def _results(
    facts: PeriodFacts | FormerFacts, start: dt.date, end: dt.date, today: dt.date
) -> list[OccurrenceResult]:
    """What each ask expected, in the order of the asks and of the days."""
    standing = standing_days(facts.required, facts.not_applicable)
    return [
        result
        for history in facts.requirements
        for result in _of_ask(history, standing, start, end, today)
    ]


def _of_ask(
    history: RequirementHistory,
    standing: Sequence[Days],
    start: dt.date,
    end: dt.date,
    today: dt.date,
) -> list[OccurrenceResult]:
    """What was expected of one ask; one link answers one period of it (R14)."""
    days_asked = asked_days(history, standing)
    of_events = event_days(history.terms, days_asked)
    left = list(history.links)
    results = []
    for period in asked_periods(history.terms, days_asked, start, end):
        if period.terms.cadence == "per-event":
            results.append(judge_events(history, period, of_events, today))
            continue
        result, link = _judge(history, period, left, today)
        if link is not None:
            left.remove(link)
        results.append(result)
    return results


def _judge(
    history: RequirementHistory,
    period: AskedPeriod,
    links: Iterable[LinkFacts],
    today: dt.date,
) -> tuple[OccurrenceResult, LinkFacts | None]:
    """What became of one period, and the link that answers it."""
    due = _due_on(history, period)
    answers = [
        link
        for link in links
        if _may_answer(link, period) and counts_from(link, due) <= today
    ]
    link = min(
        answers,
        key=lambda link: (counts_from(link, due), link.performed_on, link.link),
        default=None,
    )
    outcome: Outcome = "missed" if today > due else "not_yet_due"
    if link is not None:
        outcome = "late" if counts_from(link, due) > due else "on_time"
    if period.cut_short:
        outcome = "cut_short"
    in_time = link if outcome == "on_time" else None
    result = OccurrenceResult(
        requirement=history.uuid,
        title=period.terms.title,
        starts=period.begins,
        ends=period.ends,
        due_on=due,
        outcome=outcome,
        asked_days=period.asked_days,
        counts_from=None if period.calendar else _first_day_of(period),
        performed_on=link.performed_on if link else None,
        late_days=max(0, (counts_from(link, due) - due).days) if link else 0,
        recorded_late_days=(max(0, (in_time.uploaded_on - due).days) if in_time else 0),
        collected_late=bool(
            in_time and in_time.collected_on and in_time.collected_on > due
        ),
        link=link.link if link else "",
    )
    return result, link


def counts_from(link: LinkFacts, due: dt.date) -> dt.date:
    """The first day on which a performance counts: its own, or of its upload (R14).

    What was performed in time and brought after its due day counts from then only,
    unless the reviewer confirms that the evidence itself shows the day.
    """
    in_time = link.performed_on <= due < link.uploaded_on
    return link.uploaded_on if in_time and not link.day_confirmed else link.performed_on


def _first_day_of(period: AskedPeriod) -> dt.date:
    return dt.date.min if period.terms.cadence == "once" else period.begins


def _may_answer(link: LinkFacts, period: AskedPeriod) -> bool:
    """Whether a link is for the period: submitted for it, or performed in it."""
    if not period.calendar:
        return _first_day_of(period) <= link.performed_on <= period.ends
    return link.occurrence == period.begins and link.occurrence_ends in {
        None,
        period.ends,
    }


def _due_on(history: RequirementHistory, period: AskedPeriod) -> dt.date:
    """The last day on which it is on time.

    Yearly that is the last day that the performance before it proves (R14).
    """
    if period.terms.cadence == "yearly":
        before = [
            link.ends
            for link in history.links
            if link.performed_on < period.begins and link.ends is not None
        ]
        if before:
            return max(before)
    return period.due_on


def _placed(result: OccurrenceResult, start: dt.date, end: dt.date) -> OccurrenceResult:
    """Named where its answer lies outside of the window (R30)."""
    day = result.performed_on
    if day is None or start <= day <= end or result.per_event:
        return result
    outside: Outside = "before"
    if day > end:
        outside = "after_within_grace" if result.within_grace else "after"
    return replace(result, outside=outside)


def _marked(
    results: list[OccurrenceResult],
    former: Iterable[FormerFacts],
    start: dt.date,
    end: dt.date,
    today: dt.date,
) -> list[OccurrenceResult]:
    """The results with what retrospective changes altered, and what they waived (R31).

    A change alters periods whose last day lies from its first day to the day before it
    was requested; later ones it might have altered without being retrospective.
    """
    marked = {_key(result): result for result in results}
    expected = set(marked)
    for change in former:
        first, until = max(start, change.first_day), change.requested_on
        before = {
            _key(result): result
            for result in _results(change, start, end, min(today, change.approved_on))
            if first <= result.ends < until
        }
        for key, result in before.items():
            if key not in expected and result.outcome != "cut_short":
                marked.setdefault(key, _waived(result))
        for key, result in marked.items():
            if key in expected and first <= result.ends < until:
                unlike = key not in before or _expectation(before[key]) != (
                    _expectation(result)
                )
                if unlike:
                    marked[key] = replace(result, changed_in_retrospect=True)
    return list(marked.values())


def _key(result: OccurrenceResult) -> tuple[str, dt.date, dt.date]:
    return result.requirement, result.starts, result.ends


def _expectation(result: OccurrenceResult) -> tuple[object, ...]:
    """What a change of facts may alter of an occurrence; the rest judgements alter."""
    return result.due_on, result.outcome == "cut_short", result.asked_days


def _waived(result: OccurrenceResult) -> OccurrenceResult:
    return replace(
        result,
        outcome="waived",
        former_outcome=result.outcome,
        changed_in_retrospect=True,
    )
