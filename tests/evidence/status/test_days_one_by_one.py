"""R21 to R23, R25: providers' days are counted as somebody would count them day by day.

Touching periods, gaps of one day, overlaps, open ends, services in use for a part of
the window and revocations: each day of each is looked at alone, by the words of the
rules, and the ranges have to come to the same.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from evidence.status.coverage import days_of
from evidence.status.facts import (
    ArtifactVersionFacts,
    AwsFacts,
    LetterFacts,
    NeededService,
    PeriodFacts,
)
from evidence.status.provider_window import judged_windows
from tests.evidence.status.neutral import (
    aws_facts,
    needed_service,
    period_facts,
    version_facts,
)

DAY = dt.timedelta(days=1)
START, END = dt.date(2026, 1, 1), dt.date(2026, 2, 28)
# Few days, so that periods touch, overlap and miss each other by one often.
days = st.dates(dt.date(2025, 12, 20), dt.date(2026, 3, 10))
spans = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))


@st.composite
def letters(draw: st.DrawFn, report_end: dt.date) -> LetterFacts:
    return LetterFacts(
        issued_on=draw(days),
        starts=report_end + DAY,
        ends=draw(days),
        state=draw(st.sampled_from(["accepted", "accepted", "waiting", "rejected"])),
        max_months=draw(st.integers(1, 3)),
    )


@st.composite
def versions(draw: st.DrawFn) -> ArtifactVersionFacts:
    starts, ends = draw(spans)
    end = draw(st.sampled_from([ends, ends, ends, None]))
    state = draw(
        st.sampled_from(["active", "active", "active", "revoked", "withdrawn"])
    )
    return version_facts(
        "v",
        "SOC 2",
        draw(st.sampled_from(["a", "a", "b"])),
        "period",
        "one",
        starts,
        end,
        scheme="soc2",
        state=state,
        revoked_on=None if state == "active" else draw(days),
        services_in_scope=draw(
            st.sampled_from([frozenset({"*"}), frozenset({"s3"}), frozenset({"ec2"})])
        ),
        regions_in_scope=frozenset({"*"}),
        reliance=draw(st.sampled_from(["rely", "rely", "do-not-rely", None])),
        letters=tuple(draw(st.lists(letters(ends), max_size=2))),
        citation=draw(st.sampled_from(["accepted", "accepted", "waiting"])),
    )


@st.composite
def needs(draw: st.DrawFn) -> NeededService:
    used_from = draw(days)
    until = draw(st.none() | days.filter(lambda day: day > used_from))
    return needed_service("s3", "service", used_from, used_until=until, is_global=True)


sides = st.builds(
    aws_facts,
    needed=needs().map(lambda need: (need,)),
    versions=st.lists(versions(), max_size=4).map(tuple),
    regime=st.just("soc2"),
)


def counts_for(version: ArtifactVersionFacts, need: NeededService) -> bool:
    """Whether it is relied on, cited, not withdrawn, and names the service."""
    named = {"*", need.slug} & version.services_in_scope
    return bool(
        named
        and version.reliance == "rely"
        and version.citation == "accepted"
        and version.state != "withdrawn"
    )


def revoked(version: ArtifactVersionFacts, day: dt.date) -> bool:
    return version.state == "revoked" and day >= version.revoked_on


def months_on(day: dt.date, months: int) -> dt.date:
    """The same day so many months later, or the last day of a shorter month."""
    later = day.replace(day=1)
    for _ in range(months):
        later = (later + 31 * DAY).replace(day=1)
    while True:
        try:
            return later.replace(day=day.day)
        except ValueError:
            day -= DAY


def word_for(version: ArtifactVersionFacts, day: dt.date) -> str:
    """What one version says of one day, by the words of R21."""
    if revoked(version, day):
        return "open"
    if version.starts <= day and (version.ends is None or day <= version.ends):
        return "audited"
    for letter in version.letters:
        if (
            version.ends is not None
            and letter.state == "accepted"
            and letter.starts <= version.ends + DAY
            and version.ends < day <= min(letter.ends, letter.issued_on)
            and day < months_on(version.ends + DAY, letter.max_months)
        ):
            return "asserted"
    return "open"


def one_by_one(
    need: NeededService, aws: AwsFacts, start: dt.date, end: dt.date
) -> Counter[str]:
    """Each day of use alone; of several series the one that leaves fewest open."""
    used = [start + n * DAY for n in range((end - start).days + 1)]
    used = [
        day
        for day in used
        if need.used_from <= day and (not need.used_until or day < need.used_until)
    ]
    options = []
    for name in {version.series for version in aws.versions} or {""}:
        series = [v for v in aws.versions if v.series == name and counts_for(v, need)]
        words: Counter[str] = Counter()
        for day in used:
            said = {word_for(version, day) for version in series}
            words[next((w for w in ("audited", "asserted") if w in said), "open")] += 1
        options.append(words)
    return min(options, key=lambda words: words["open"])


@given(sides)
def test_ranges_come_to_the_days_one_by_one(aws: AwsFacts) -> None:
    (need,) = aws.needed
    row = days_of(need, aws, START, END)
    expected = one_by_one(need, aws, START, END)
    assert row.open_days == expected["open"]
    assert row.audited + row.asserted == expected["audited"] + expected["asserted"]
    series = {version.series for version in aws.versions}
    if len(series) < 2:
        assert row.audited == expected["audited"]


def over(aws: AwsFacts) -> PeriodFacts:
    return period_facts(
        control_id="si-2", responsibility="inherited", aws_required=True, aws=aws
    )


@given(sides, st.dates(START - 5 * DAY, END + 5 * DAY))
def test_gaps_are_the_open_days_and_begin_where_they_do(
    aws: AwsFacts, day: dt.date
) -> None:
    """Each open day is in one gap of its service; the day before a gap is covered, not
    in use, or outside the window."""
    windows = judged_windows({"SI-2": over(aws)}, (START, END), day)
    (need,) = aws.needed
    if not windows:
        assert not sum(one_by_one(need, aws, START, END).values())
        return
    (provider,) = windows
    open_days = {gap.first + n * DAY for gap in provider.gaps for n in range(gap.days)}
    assert len(open_days) == one_by_one(need, aws, START, END)["open"]
    for gap in provider.gaps:
        assert gap.first - DAY not in open_days
        assert gap.last + DAY not in open_days
        assert gap.ahead == (gap.last >= day)
        assert gap.controls == ("SI-2",)
