"""R12 and R14 for any history: periods counted from a calendar that this file keeps.

Leap days, ends of months, windows of one day, links about other periods than those in
which they were performed, days on which nothing was asked or nothing required.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from evidence.status.facts import LinkFacts
from evidence.status.window import Period
from tests.evidence.scenarios.pure import ask, counts, over, performed, terms

D = dt.date
DAY = dt.timedelta(days=1)
Days = tuple[dt.date, dt.date]
MONTHS = {"monthly": 1, "quarterly": 3, "half-yearly": 6}
FIRST, LAST = D(2023, 10, 1), D(2028, 3, 31)
days = st.dates(FIRST, LAST)
spans = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))
one_day = days.map(lambda day: (day, day))
windows = st.one_of(one_day, spans, st.sampled_from([(D(2024, 2, 29), D(2024, 2, 29))]))
# in which month a quarter or half-year ends, and how long the grace is
kinds = st.sampled_from(
    [("weekly", 1), ("weekly", 3), ("monthly", 5), ("monthly", 15), ("quarterly", 14),
     ("quarterly", 45), ("half-yearly", 28)]
)  # fmt: skip


def holding(every: str, day: dt.date) -> Days:
    """The calendar period that holds a day; weeks begin on Monday."""
    if every == "weekly":
        monday = day - day.weekday() * DAY
        return monday, monday + 6 * DAY
    months = MONTHS[every]
    begins = D(day.year, (day.month - 1) // months * months + 1, 1)
    after = begins
    for _ in range(months):
        after = (after + 31 * DAY).replace(day=1)
    return begins, after - DAY


def ending_in(every: str, window: Days) -> Iterator[Days]:
    """The periods whose last day lies in a window."""
    period = holding(every, window[0])
    while period[1] <= window[1]:
        yield period
        period = holding(every, period[1] + DAY)


def expected_counts(
    kind: tuple[str, int],
    named: Days,
    required: Days,
    links: list[LinkFacts],
    window: Days,
    today: dt.date,
) -> tuple[int, ...]:
    """Expected, on time, late, missed, not yet due: day by day, as the rules say."""
    every, grace = kind
    outcomes: Counter[str] = Counter()
    for begins, ends in ending_in(every, window):
        if not (named[0] <= ends <= named[1] and required[0] <= ends <= required[1]):
            continue
        due = ends + grace * DAY
        counting = []
        for link in links:
            if link.occurrence != begins:
                continue
            recorded = link.performed_on <= due < link.uploaded_on
            unconfirmed = recorded and not link.day_confirmed
            counting.append(link.uploaded_on if unconfirmed else link.performed_on)
        counting = [day for day in counting if day <= today]
        if counting:
            outcomes["on time" if min(counting) <= due else "late"] += 1
        else:
            outcomes["missed" if today > due else "not yet due"] += 1
    kinds_of = [outcomes[name] for name in ("on time", "late", "missed", "not yet due")]
    return (sum(kinds_of), *kinds_of)


@st.composite
def links_of(draw: st.DrawFn, kind: tuple[str, int]) -> list[LinkFacts]:
    """At most eight performances, each about some period, in it or any time after."""
    every, grace = kind
    links = []
    for number in range(draw(st.integers(0, 8))):
        about = draw(days)
        begins = holding(every, about)[0]
        on = begins + draw(st.integers(0, 240)) * DAY
        uploaded = on + draw(st.integers(0, 90)) * DAY
        confirmed = draw(st.booleans())
        link = performed(
            every, about, on, grace, link=str(number), uploaded_on=uploaded,
            day_confirmed=confirmed,
        )  # fmt: skip
        links.append(link)
    return links


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[str, int], list[LinkFacts]]:
    kind = draw(kinds)
    return kind, draw(links_of(kind))


def judged(
    history: tuple[tuple[str, int], list[LinkFacts]],
    named: Days,
    required: Days,
    window: Days,
    today: dt.date,
) -> Period:
    (every, grace), links = history
    return over(
        ask(terms(every, grace), named, *links),
        today=today,
        window=window,
        required=(required,),
    )


WHOLE = (FIRST, LAST)


@given(histories(), windows, days)
@example((("monthly", 5), []), (D(2024, 2, 29), D(2024, 2, 29)), D(2024, 3, 5))
@example((("monthly", 5), []), (D(2024, 2, 29), D(2024, 2, 29)), D(2024, 3, 6))
@example((("monthly", 5), []), (D(2024, 2, 28), D(2024, 2, 28)), D(2024, 3, 6))
@example((("weekly", 1), []), (D(2024, 12, 30), D(2025, 1, 5)), D(2025, 1, 7))
def test_r14_each_window_counts_the_periods_that_end_in_it(
    history, window, today
) -> None:
    result = judged(history, WHOLE, WHOLE, window, today)
    kind, links = history
    assert counts(result) == expected_counts(kind, WHOLE, WHOLE, links, window, today)


@given(histories(), spans, days, days)
def test_r14_a_window_cut_in_two_counts_as_the_whole(
    history, window, cut, today
) -> None:
    """No period is counted twice or lost where one window follows another."""
    cut = min(max(cut, window[0]), window[1])
    parts = [(window[0], cut)]
    if cut < window[1]:
        parts.append((cut + DAY, window[1]))
    whole = counts(judged(history, WHOLE, WHOLE, window, today))
    counted = [counts(judged(history, WHOLE, WHOLE, part, today)) for part in parts]
    assert tuple(map(sum, zip(*counted, strict=True))) == whole


@given(histories(), days, windows, days)
def test_r11_days_before_a_control_joined_expect_nothing(
    history, joined, window, today
) -> None:
    """Its first period is the one that holds that day; what was performed on the day
    itself answers it."""
    kind, links = history
    named = (joined, D.max)
    result = judged(history, named, WHOLE, window, today)
    assert counts(result) == expected_counts(kind, named, WHOLE, links, window, today)
    begins, ends = holding(kind[0], joined)
    on_the_day = performed(kind[0], joined, joined, kind[1], uploaded_on=joined)
    only = judged((kind, [on_the_day]), named, named, (begins, ends), ends)
    assert counts(only) == (1, 1, 0, 0, 0)


@given(histories(), windows, days, days)
def test_r13_what_is_known_later_takes_no_performance_away(
    history, window, today, later
) -> None:
    """As days go by open periods end up missed or late; what was on time stays."""
    earlier, later = min(today, later), max(today, later)
    before = counts(judged(history, WHOLE, WHOLE, window, earlier))
    after = counts(judged(history, WHOLE, WHOLE, window, later))
    assert after[0] == before[0]
    assert after[1] >= before[1]
    assert after[4] <= before[4]
