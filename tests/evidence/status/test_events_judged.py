"""How populations and samples are judged on a day and over a window (pure)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.status.day import status
from evidence.status.facts import PopulationFacts
from evidence.status.our_half import requirement_state
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
ASKED = requirement_facts(
    "u", "Leavers", "per-event", START, grace_days=10, asked_days=((START, D.max),)
)
Q1 = population_facts(START, D(2026, 3, 31), rows=14, state="accepted")
NONE = sampled(Q1, rows=0)
DAY, LATER = D(2026, 4, 5), D(2027, 2, 1)
NEXT = population_facts(D(2026, 4, 1), D(2026, 4, 4), rows=2)


def state(*events: PopulationFacts, day: dt.date = DAY) -> tuple[str, str]:
    judged = requirement_state(replace(ASKED, populations=events), day)
    return judged.state, " ".join(reason.code for reason in judged.reasons)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (replace(Q1, state="submitted"), ("pending", "population_unreviewed")),
        (replace(Q1, state="rejected"), ("missing", "population_rejected")),
        (NONE, ("proven", "no_events")),
        (Q1, ("pending", "no_sample")),
        (sampled(Q1, sample=5, proven=4), ("missing", "sample_open")),
        (sampled(Q1, sample=5, proven=4, waiting=1), ("pending", "sample_waiting")),
        (sampled(Q1, sample=5, proven=3, waiting=1), ("missing", "sample_open")),
        (sampled(Q1, sample=5, proven=5), ("proven", "")),
        (sampled(Q1, sample=5, proven=4, deviations=1), ("proven", "")),
    ],
)
def test_on_a_day(events: PopulationFacts, expected: tuple[str, str]) -> None:
    """R16: what the first quarter's population lacks decides."""
    assert state(events) == expected


@pytest.mark.parametrize("beside", [Q1, sampled(Q1, sample=5, proven=4)])
def test_a_second_list_excuses_nothing_of_the_first(beside: PopulationFacts) -> None:
    """R16: every sampled item of all lists of these days, whichever came first."""
    judged = [state(beside, NONE), state(NONE, beside)]
    assert judged == [state(beside)] * 2
    assert outcomes(over(beside, NONE))[0] == outcomes(over(beside))[0] == "missed"
    shown = replace(sampled(beside, sample=5, proven=5), uuid=beside.uuid)
    assert state(shown, NONE)[0] == "proven"


def test_none_at_all_is_missing() -> None:
    assert state() == ("missing", "no_population")


def test_before_the_first_period_has_ended_it_is_first_due_later() -> None:
    """R16: a population of a part of the first quarter performs nothing yet."""
    january = sampled(NONE, ends=D(2026, 1, 31))
    assert state(january, day=D(2026, 2, 5)) == ("missing", "not_yet_due")
    assert state(january) == ("missing", "days_without_population")


@pytest.mark.parametrize(
    ("newer", "code"),
    [("submitted", "submitted_unreviewed"), ("rejected", "newer_rejected")],
)
def test_a_newer_one_that_does_not_count_is_said(newer: str, code: str) -> None:
    later = replace(NEXT, state=newer)  # type: ignore[arg-type]
    assert state(NONE, later) == ("proven", f"no_events {code}")


def test_it_holds_to_the_due_day_of_the_next_quarter() -> None:
    """R13, R16: the second quarter is due ten days after its end."""
    assert state(NONE, day=D(2026, 6, 10)) == ("proven", "no_events")
    assert state(NONE, day=D(2026, 6, 11)) == ("expiring", "expiring no_events")
    assert state(NONE, day=D(2026, 7, 11)) == ("lapsed", "population_lapsed no_events")


def test_a_deviation_caps_the_verdict_and_says_n_of_m() -> None:
    failed = sampled(Q1, sample=5, proven=4, deviations=1)
    facts = control_facts(
        "ac-2",
        responsibility="customer",
        customer_required=True,
        implementation_status="implemented",
        requirements=(replace(ASKED, populations=(failed,)),),
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


def outcomes(result: Period) -> list[str]:
    return [each.outcome for each in result.occurrences.results]


def test_days_without_a_population_are_missed_once_due() -> None:
    """R16: by quarter in the counts, as one range of days in the reasons."""
    result = over(NONE)
    assert result.result == "exceptions"
    assert codes(result) == ["days_without_population"]
    assert outcomes(result) == ["on_time", "missed", "missed", "missed"]
    (reason,) = result.reasons
    assert "no population from 2026-04-01 to 2026-12-31" in reason.sentence
    running = over(NONE, today=D(2026, 6, 1))
    assert (running.result, codes(running)) == ("running", [])


def test_a_whole_year_shown_is_complete() -> None:
    rest = sampled(Q1, starts=D(2026, 4, 1), ends=END, sample=2, proven=2)
    result = over(NONE, replace(rest, drawn_on=END, day_confirmed=True))
    assert (result.result, outcomes(result)) == ("complete", ["on_time"] * 4)
    assert result.occurrences.sampled == 2
    assert result.occurrences.recorded_late == 2


def test_open_items_are_due_with_their_quarter() -> None:
    """R16: until its due day nothing of it is missed."""
    rest = sampled(Q1, starts=D(2026, 4, 1), ends=D(2026, 6, 30), sample=5, proven=4)
    assert over(NONE, rest, today=D(2026, 7, 10)).result == "running"
    late = over(NONE, rest, today=D(2026, 7, 11))
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
    result = over(sampled(Q1, ends=END, day_confirmed=True, **change))
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
    drawn_on=st.dates(START, D(2027, 6, 1)),
    day_confirmed=st.booleans(),
)


@given(st.lists(events, max_size=3), st.dates(START, D(2028, 12, 31)))
def test_every_answer_has_words_and_proof_is_never_given_for_open_items(
    found: list[PopulationFacts], day: dt.date
) -> None:
    judged = requirement_state(replace(ASKED, populations=tuple(found)), day)
    assert all(reason.code in MESSAGES and reason.sentence for reason in judged.reasons)
    if judged.state in {"proven", "expiring"}:
        assert any(events.complete for events in found)
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
