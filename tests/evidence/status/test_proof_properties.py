"""What holds of status, period and days for any facts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from evidence.status import cadence
from evidence.status.coverage import days_of
from evidence.status.day import status
from evidence.status.day_ranges import clip, count, subtract, united
from evidence.status.facts import (
    ArtifactVersionFacts,
    AwsFacts,
    ControlFacts,
    LinkFacts,
    NeededService,
    RequirementFacts,
)
from tests.evidence.status.neutral import (
    aws_facts,
    control_facts,
    link_facts,
    needed_service,
    requirement_facts,
    version_facts,
)
from tests.evidence.status.scenarios import proof_end

START, END = dt.date(2024, 1, 1), dt.date(2028, 12, 31)
day = st.dates(START, END)
cadences = st.sampled_from(["weekly", "monthly", "quarterly", "half-yearly", "yearly"])
calendar = st.sampled_from(["weekly", "monthly", "quarterly", "half-yearly"])
spans = st.tuples(day, day).map(lambda pair: (min(pair), max(pair)))


@st.composite
def links(draw: st.DrawFn, kind: str) -> LinkFacts:
    performed = draw(day)
    start = cadence.occurrence_of(kind, performed)
    ends = proof_end(kind, performed, performed, None)
    return link_facts("l", "e", performed, ends, occurrence=start)


@st.composite
def requirements(draw: st.DrawFn) -> RequirementFacts:
    kind = draw(cadences)
    return requirement_facts(
        "r",
        "report",
        kind,  # type: ignore[arg-type]
        draw(day),
        latest_accepted=draw(st.none() | links(kind)),
        submitted=draw(st.integers(0, 2)),
    )


@st.composite
def versions(draw: st.DrawFn) -> ArtifactVersionFacts:
    starts, ends = draw(spans)
    return version_facts(
        "v",
        "SOC 2",
        draw(st.sampled_from(["a", "b"])),
        "period",
        "one",
        starts,
        ends,
        scheme="soc2",
        services_in_scope=draw(st.frozensets(st.sampled_from(["ec2", "s3"]))),
        regions_in_scope=frozenset({"*"}),
        reliance=draw(st.sampled_from([None, "rely", "do-not-rely"])),
    )


needs = st.builds(
    needed_service, st.sampled_from(["ec2", "s3"]), st.just("service"), day
)
aws_sides = st.builds(
    aws_facts,
    needed=st.lists(needs).map(tuple),
    versions=st.lists(versions()).map(tuple),
    regime=st.just("soc2"),
)
controls = st.builds(
    control_facts,
    control_id=st.just("ac-2"),
    responsibility=st.sampled_from(["inherited", "shared", "customer", "none"]),
    aws_required=st.booleans(),
    customer_required=st.booleans(),
    implementation_status=st.sampled_from(["implemented", "planned"]),
    requirements=st.lists(requirements()).map(tuple),
    aws=st.none() | aws_sides,
)


@given(controls, day)
def test_status_answers_for_any_facts_and_each_reason_speaks(
    facts: ControlFacts, on: dt.date
) -> None:
    answer = status(facts, on)
    assert all(reason.sentence for reason in answer.reasons)


@given(controls, day)
def test_without_evidence_nothing_is_green(facts: ControlFacts, on: dt.date) -> None:
    bare = replace(
        facts,
        aws=None,
        requirements=tuple(
            replace(each, latest_accepted=None) for each in facts.requirements
        ),
    )
    assert status(bare, on).verdict == "unproven"


@given(controls, day)
def test_one_half_is_never_enough(facts: ControlFacts, on: dt.date) -> None:
    both = replace(facts, aws_required=True, customer_required=True, aws=None)
    assert status(both, on).verdict in {"unproven", "partly"}


@given(calendar, day)
def test_calendar_periods_cover_each_day_once(kind: str, on: dt.date) -> None:
    start = cadence.occurrence_of(kind, on)
    assert start is not None
    last = cadence.last_day(kind, start)
    assert start <= on <= last
    assert cadence.occurrence_of(kind, last + dt.timedelta(days=1)) == (
        last + dt.timedelta(days=1)
    )


@given(cadences, day, st.integers(1, 60))
def test_proof_reaches_beyond_its_performance(
    kind: str, on: dt.date, grace: int
) -> None:
    ends = proof_end(kind, on, on, grace)
    assert ends is not None
    assert ends > on


@given(st.lists(spans), st.lists(spans), spans)
def test_days_taken_away_and_days_left_make_the_whole(
    whole: list[tuple[dt.date, dt.date]],
    away: list[tuple[dt.date, dt.date]],
    window: tuple[dt.date, dt.date],
) -> None:
    kept = united(clip(whole, *window))
    left = subtract(kept, united(away))
    both = count(united([*left, *subtract(kept, left)]))
    assert both == count(kept)


@given(needs, aws_sides, spans)
def test_audited_asserted_and_open_days_are_all_days_of_use(
    need: NeededService, aws: AwsFacts, window: tuple[dt.date, dt.date]
) -> None:
    row = days_of(need, aws, *window)
    used = count(clip([(need.used_from, dt.date.max)], *window))
    assert row.audited + row.asserted + row.open_days == used
