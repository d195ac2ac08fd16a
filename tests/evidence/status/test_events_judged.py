"""How populations and samples are judged on a day and over a window (pure)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.status.day import requirement_state, status
from evidence.status.facts import PopulationFacts
from evidence.status.reasons import MESSAGES
from evidence.status.window import Period, period
from tests.evidence.status.neutral import (
    control_facts,
    period_facts,
    population_facts,
    requirement_facts,
    requirement_history,
    sampled,
)

D = dt.date
START, END = D(2026, 1, 1), D(2026, 12, 31)
ASKED = requirement_facts("u", "Leavers", "per-event", START, grace_days=10)
Q1 = population_facts(START, D(2026, 3, 31), rows=14, state="accepted")
NONE = sampled(Q1, rows=0)
DAY, LATER = D(2026, 4, 5), D(2027, 2, 1)


def state(events: PopulationFacts | None, day: dt.date = DAY) -> tuple[str, str]:
    judged = requirement_state(replace(ASKED, population=events), day)
    return judged.state, " ".join(reason.code for reason in judged.reasons)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (None, ("missing", "no_population")),
        (replace(Q1, state="submitted"), ("pending", "population_unreviewed")),
        (replace(Q1, state="rejected"), ("missing", "population_rejected")),
        (NONE, ("proven", "no_events")),
        (Q1, ("pending", "no_sample")),
        (sampled(Q1, sample=5, proven=4), ("missing", "sample_open")),
        (sampled(Q1, sample=5, proven=4, waiting=1), ("pending", "sample_waiting")),
        (sampled(Q1, sample=5, proven=3, waiting=1), ("missing", "sample_open")),
        (sampled(Q1, sample=5, proven=5), ("proven", "")),
        (sampled(Q1, sample=5, proven=4, deviations=1), ("proven", "")),
        (
            replace(NONE, newer="submitted"),
            ("proven", "no_events submitted_unreviewed"),
        ),
        (replace(NONE, newer="rejected"), ("proven", "no_events newer_rejected")),
    ],
)
def test_on_a_day(events: PopulationFacts | None, expected: tuple[str, str]) -> None:
    assert state(events) == expected


@pytest.mark.parametrize(
    ("newer", "code"),
    [("submitted", "submitted_unreviewed"), ("rejected", "newer_rejected")],
)
def test_a_newer_one_that_does_not_count_is_said(newer: str, code: str) -> None:
    events = replace(NONE, newer=newer)  # type: ignore[arg-type]
    assert state(events) == ("proven", f"no_events {code}")


def test_it_speaks_of_the_present_for_a_year_and_the_grace() -> None:
    assert state(NONE, D(2027, 3, 1))[0] == "proven"
    assert state(NONE, D(2027, 4, 10)) == ("expiring", "expiring no_events")
    assert state(NONE, D(2027, 4, 11)) == ("lapsed", "population_lapsed")


def test_a_deviation_caps_the_verdict_and_says_n_of_m() -> None:
    failed = sampled(Q1, sample=5, proven=4, deviations=1)
    facts = control_facts(
        "ac-2",
        responsibility="customer",
        customer_required=True,
        implementation_status="implemented",
        requirements=(replace(ASKED, population=failed),),
    )
    answer = status(facts, DAY)
    assert (answer.customer_half, answer.verdict) == ("proven", "partly")
    (reason,) = [r for r in answer.reasons if r.code == "deviations"]
    assert reason.sentence == "Leavers: 1 of 5 in the sample deviating."


def over(*events: PopulationFacts, today: dt.date = LATER) -> Period:
    facts = period_facts(
        "ac-2",
        customer_required=True,
        requirements=(requirement_history(ASKED, populations=events),),
    )
    return period(facts, START, END, today=today)


def codes(result: Period) -> list[str]:
    return [reason.code for reason in result.reasons]


def test_days_without_a_population_are_missed_once_due() -> None:
    result = over(NONE)
    assert result.result == "exceptions"
    assert codes(result) == ["days_without_population"]
    spoken, silent = result.occurrences.results
    assert (spoken.outcome, silent.outcome) == ("on_time", "missed")
    assert (silent.starts, silent.ends) == (D(2026, 4, 1), END)
    running = over(NONE, today=D(2026, 6, 1))
    assert (running.result, codes(running)) == ("running", [])


def test_a_whole_year_shown_is_complete() -> None:
    rest = sampled(Q1, starts=D(2026, 4, 1), ends=END, sample=2, proven=2)
    result = over(NONE, rest)
    assert (result.result, codes(result)) == ("complete", [])
    assert (result.occurrences.on_time, result.occurrences.sampled) == (2, 2)


def test_open_items_are_due_after_the_sample_was_drawn() -> None:
    year = sampled(Q1, ends=END, sample=5, proven=4, sampled_on=D(2027, 1, 20))
    assert over(year, today=D(2027, 1, 30)).result == "running"
    late = over(year, today=D(2027, 2, 1))
    assert (late.result, codes(late)) == ("exceptions", ["sample_open"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "submitted"}, "population_unreviewed"),
        ({}, "no_sample"),
        ({"state": "rejected"}, "days_without_population"),
        ({"sample": 3, "proven": 2, "deviations": 1}, "deviations"),
    ],
)
def test_what_stands_against_a_window(change: dict[str, object], code: str) -> None:
    result = over(sampled(Q1, ends=END, **change))
    assert (result.result, codes(result)) == ("exceptions", [code])


events = st.builds(
    population_facts,
    starts=st.dates(START, D(2026, 6, 30)),
    ends=st.dates(D(2026, 7, 1), END),
    rows=st.integers(0, 20),
    state=st.sampled_from(["accepted", "submitted", "rejected"]),
    sample=st.none() | st.integers(1, 20),
    proven=st.integers(0, 20),
    waiting=st.integers(0, 20),
    deviations=st.integers(0, 5),
    newer=st.sampled_from([None, "submitted", "rejected"]),
    sampled_on=st.none() | st.dates(START, D(2027, 6, 1)),
)


@given(events | st.none(), st.dates(START, D(2028, 12, 31)))
def test_every_answer_has_words_and_proof_is_never_given_for_open_items(
    found: PopulationFacts | None, day: dt.date
) -> None:
    judged = requirement_state(replace(ASKED, population=found), day)
    assert all(reason.code in MESSAGES and reason.sentence for reason in judged.reasons)
    if judged.state in {"proven", "expiring"}:
        assert found is not None
        assert found.complete
    else:
        assert judged.reasons


@given(st.lists(events, max_size=4), st.dates(START, D(2028, 12, 31)))
def test_every_day_of_the_window_is_spoken_of_once_or_more(
    found: list[PopulationFacts], today: dt.date
) -> None:
    results = over(*found, today=today).occurrences.results
    days = {
        each.starts + dt.timedelta(days=n)
        for each in results
        for n in range((each.ends - each.starts).days + 1)
    }
    assert {START + dt.timedelta(days=n) for n in range(365)} <= days
