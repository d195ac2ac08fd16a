"""What the number of the rules before answered, from today's facts (R35). Pure.

Each amendment that can be told from the facts is taken back by handing today's rules
the facts as the number before read them: it knew no unstated status, no day of an
upload, one set of terms for all days, and so on. Amendments that rest on records which
it had not, or read otherwise (`NOT_COMPARED`), are not taken back: answers that differ
by them alone are not listed. Nor is where a yearly ask that ended within the window
was counted from, nor how many occurrences a window counted per event.

One file: the amendments stand in the order in which they are taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace

from evidence.status import cadence
from evidence.status.day import status
from evidence.status.day_ranges import EVERY_DAY, both, united
from evidence.status.facts import (
    AWS,
    AwsFacts,
    ControlFacts,
    LinkFacts,
    PeriodFacts,
    RequirementFacts,
    RequirementHistory,
    StatedDays,
)
from evidence.status.rules import EDITIONS
from evidence.status.values import value
from evidence.status.window import period

NOT_STATED, IMPLEMENTED = "not-stated", "implemented"


@value
class Answer:
    """What is compared of a control: its day, and its window where one is asked for."""

    verdict: str
    aws_half: str
    customer_half: str
    result: str
    counts: tuple[int, int, int, int]  # expected, on time, late, missed


@value
class Both:
    """The facts of one control on a day and over a window.

    `ends_at_upload` is the last day that each link proved by the terms of its upload,
    by its uuid (None: no end); a link that is not there ends as its facts say.
    """

    day: ControlFacts
    window: PeriodFacts
    ends_at_upload: Mapping[str, dt.date | None] = field(default_factory=dict)


@value
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
    window = replace(facts.window, stated=stated)
    return replace(facts, day=day, window=window)


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
    return replace(facts, day=day, window=window)


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
    day, window = replace(facts.day, type2=False), replace(facts.window, type2=())
    return replace(facts, day=day, window=window)


def _without_waived_rows(facts: Both) -> Both:
    """R31: what fell away by a change in retrospect left no row."""
    return replace(facts, window=replace(facts.window, former=()))


def _without_its_last_day(facts: Both) -> Both:
    """R34: the window's result did not look at the state on its last day."""
    return replace(facts, window=replace(facts.window, at_end=None))


def _of_providers(facts: Both, change: Callable[[AwsFacts], AwsFacts]) -> Both:
    """The facts with the providers' side of the day, the window and its end changed."""

    def changed(side: AwsFacts | None) -> AwsFacts | None:
        return change(side) if side else None

    day = replace(facts.day, aws=changed(facts.day.aws))
    at_end = facts.window.at_end
    if at_end is not None:
        at_end = replace(at_end, aws=changed(at_end.aws))
    window = replace(facts.window, aws=changed(facts.window.aws), at_end=at_end)
    return replace(facts, day=day, window=window)


def _without_other_providers(facts: Both) -> Both:
    """R3: nobody but AWS was asked, and whatever was cited spoke for AWS."""

    def change(side: AwsFacts) -> AwsFacts:
        of_aws = tuple(need for need in side.needed if need.provider == AWS)
        others = tuple(
            replace(
                need,
                provider=AWS,
                provider_name="AWS",
                scope="region",
                is_global=True,
                sites=(),
            )
            for need in side.needed
            if need.provider != AWS
        )
        cited = tuple(replace(version, provider=AWS) for version in side.versions)
        return replace(side, needed=of_aws or others, versions=cited)

    return _of_providers(facts, change)


def _without_unknown_regions(facts: Both) -> Both:
    """R20: a service without a region was in every region, nothing that we assess
    ourselves counted, and a report of every region spoke of each partition."""

    def change(side: AwsFacts) -> AwsFacts:
        needed = tuple(
            need
            if need.regions or need.provider != AWS
            else replace(need, is_global=True)
            for need in side.needed
        )
        versions = tuple(
            version
            if version.kind == "authorization"
            else replace(version, partition=side.partition)
            for version in side.versions
            if version.kind != "assessment"
        )
        return replace(side, needed=needed, versions=versions)

    return _of_providers(facts, change)


def _without_awaited_days(facts: Both) -> Both:
    """R21: days after the newest coverage of a window that runs were open at once."""
    side = facts.window.aws
    if side is None:
        return facts
    window = replace(facts.window, aws=replace(side, currency_days=0))
    return replace(facts, window=window)


def _without_waiting_citations(facts: Both) -> Both:
    """R24: a citation counted at once, whoever made it and when."""

    def change(side: AwsFacts) -> AwsFacts:
        versions = tuple(replace(v, citation="accepted") for v in side.versions)
        return replace(side, versions=versions)

    return _of_providers(facts, change)


def _with_currency_of_the_withdrawn(facts: Both) -> Both:
    """R22: once its auditor withdrew it, a report not relied on ended no currency."""

    def change(side: AwsFacts) -> AwsFacts:
        versions = tuple(
            replace(v, reliance=None) if v.state == "withdrawn" else v
            for v in side.versions
        )
        return replace(side, versions=versions)

    return _of_providers(facts, change)


def _with_ends_at_upload(facts: Both) -> Both:
    """R13: a link proved to the day that the terms of its upload gave it."""

    def ended(link: LinkFacts) -> LinkFacts:
        return replace(link, ends=facts.ends_at_upload.get(link.link, link.ends))

    day = replace(
        facts.day,
        requirements=tuple(
            replace(
                row,
                latest_accepted=ended(row.latest_accepted)
                if row.latest_accepted
                else None,
                others_accepted=tuple(ended(link) for link in row.others_accepted),
            )
            for row in facts.day.requirements
        ),
    )
    window = replace(
        facts.window,
        requirements=tuple(
            replace(history, links=tuple(ended(link) for link in history.links))
            for history in facts.window.requirements
        ),
    )
    return replace(facts, day=day, window=window)


def _with_populations_for_a_year(facts: Both) -> Both:
    """R16: the newest complete population proved what a yearly performance on its last
    day would, whatever days it covers."""
    day = replace(
        facts.day,
        requirements=tuple(_as_yearly(row) for row in facts.day.requirements),
    )
    return replace(facts, day=day)


def _as_yearly(row: RequirementFacts) -> RequirementFacts:
    row = replace(row, populations=row.kept_populations)
    accepted = [events for events in row.populations if events.state == "accepted"]
    if row.cadence != "per-event" or not accepted or not accepted[-1].complete:
        return row
    newest = accepted[-1]
    grace = cadence.EVENT_GRACE if row.grace_days is None else row.grace_days
    link = LinkFacts(
        link=newest.uuid,
        evidence=newest.uuid,
        performed_on=newest.ends,
        ends=cadence.add_months(newest.ends, 12) + dt.timedelta(days=grace),
        occurrence=None,
        occurrence_ends=None,
        collected_on=None,
        uploaded_on=newest.drawn_on,
        day_confirmed=True,
        title=row.title,
    )
    return replace(row, cadence="yearly", latest_accepted=link, populations=())


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
    ("R3", _without_other_providers),
    ("R20", _without_unknown_regions),
    ("R21", _without_awaited_days),
    ("R22", _with_currency_of_the_withdrawn),
    ("R24", _without_waiting_citations),
    ("R13", _with_ends_at_upload),
    ("R16", _with_populations_for_a_year),
)
# Amended by today's number, and not taken back here.
NOT_COMPARED: tuple[str, ...] = tuple(
    rule
    for rule in EDITIONS[-1].amended
    if rule not in {taken for taken, _ in TAKEN_BACK}
)
