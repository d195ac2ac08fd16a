"""Samples that anybody can draw again, and lists read without losing a line."""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controls.errors import Refused
from controls.spreadsheets import parse_lines
from evidence.populations import event_list
from evidence.populations.selection import (
    MAX_SAMPLE,
    SelectionMethod,
    new_seed,
    positions_of,
    select,
)

totals = st.integers(1, 3000)
seeds = st.text(min_size=1, max_size=20)
START, END = dt.date(2026, 1, 1), dt.date(2026, 3, 31)


@st.composite
def random_ways(draw_: st.DrawFn) -> tuple[SelectionMethod, int]:
    total = draw_(totals)
    size = draw_(st.integers(1, min(total, MAX_SAMPLE)))
    return SelectionMethod("random", size=size, seed=draw_(seeds)), total


@given(random_ways())
def test_a_random_sample_holds_what_was_asked_once_each(
    drawn: tuple[SelectionMethod, int],
) -> None:
    way, total = drawn
    found = select(way, total)
    assert len(found) == len(set(found)) == way.size
    assert list(found) == sorted(found)
    assert all(1 <= position <= total for position in found)
    assert found == select(way, total)


@given(random_ways())
def test_the_recipe_in_words_gives_the_same(drawn: tuple[SelectionMethod, int]) -> None:
    way, total = drawn
    texts = {n: f"{way.seed}|{n}".encode() for n in range(1, total + 1)}
    ranked = sorted(texts, key=lambda n: (hashlib.sha256(texts[n]).hexdigest(), n))
    assert select(way, total) == tuple(sorted(ranked[: way.size]))


@given(random_ways())
def test_a_larger_sample_contains_the_smaller(
    drawn: tuple[SelectionMethod, int],
) -> None:
    way, total = drawn
    assert way.size is not None
    more = min(total, way.size + 5, MAX_SAMPLE)
    larger = select(SelectionMethod("random", size=more, seed=way.seed), total)
    assert set(select(way, total)) <= set(larger)


def test_recorded_samples_can_be_drawn_again_after_every_release() -> None:
    assert select(SelectionMethod("random", size=5, seed="srm"), 60) == (
        2,
        21,
        28,
        40,
        52,
    )


@given(totals, st.integers(1, 200), st.data())
def test_every_nth_is_evenly_spaced(
    total: int, every: int, data: st.DataObject
) -> None:
    first = data.draw(st.integers(1, total))
    way = SelectionMethod("every-nth", every=every, first=first)
    if len(range(first, total + 1, every)) > MAX_SAMPLE:
        with pytest.raises(Refused):
            select(way, total)
        return
    found = select(way, total)
    assert found[0] == first
    assert {b - a for a, b in pairwise(found)} <= {every}
    assert found[-1] + every > total


@given(st.integers(1, MAX_SAMPLE))
def test_all_is_all(total: int) -> None:
    assert select(SelectionMethod("all"), total) == tuple(range(1, total + 1))


@pytest.mark.parametrize(
    ("way", "field"),
    [
        (SelectionMethod("random", size=0, seed="s"), "size"),
        (SelectionMethod("random", size=None, seed="s"), "size"),
        (SelectionMethod("random", size=-3, seed="s"), "size"),
        (SelectionMethod("random", size=11, seed="s"), "size"),
        (SelectionMethod("random", size=3), "seed"),
        (SelectionMethod("every-nth", every=0, first=1), "every"),
        (SelectionMethod("every-nth", every=2), "first"),
        (SelectionMethod("every-nth", every=2, first=11), "first"),
        (SelectionMethod("by-hand"), "positions"),
        (SelectionMethod("by-hand", positions=(3, 11)), "positions"),
        (SelectionMethod("by-hand", positions=(0,)), "positions"),
        (SelectionMethod("first-ones"), "method"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_field(
    way: SelectionMethod, field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        select(way, 10)
    assert field in refusal.value.message_dict


def test_nothing_is_drawn_from_nothing_and_not_too_much() -> None:
    with pytest.raises(Refused, match="no rows"):
        select(SelectionMethod("all"), 0)
    with pytest.raises(Refused, match="at most 1,000"):
        select(SelectionMethod("all"), MAX_SAMPLE + 1)


def test_seeds_differ() -> None:
    assert len({new_seed() for _ in range(50)}) == 50


@given(st.sets(st.integers(1, 9999), min_size=1, max_size=50))
def test_positions_are_read_as_typed(positions: set[int]) -> None:
    text = ", ".join(str(n) for n in sorted(positions))
    assert set(positions_of(text)) == positions


@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        found = positions_of(text)
    except Refused:
        return
    assert all(n >= 0 for n in found)


def test_ranges_are_read() -> None:
    assert positions_of("3 7-9,12") == (3, 7, 8, 9, 12)
    for wrong in ("9-7", "x", "1-", "1-99999", "²"):
        with pytest.raises(Refused):
            positions_of(wrong)


days = st.dates(dt.date(2025, 12, 1), dt.date(2026, 5, 1))
keys = st.text("abcXYZ019-", max_size=6)


@given(st.lists(st.tuples(keys, days), max_size=30))
def test_every_line_is_an_event_or_an_error(rows: list[tuple[str, dt.date]]) -> None:
    lines = ["key,day", *(f"{key},{day}" for key, day in rows)]
    content = "\n".join(lines).encode()
    parsed = parse_lines(content, "list.csv", event_list.LIMITS)
    found = event_list.events_of(parsed, START, END, zone=dt.UTC)
    assert len(found.rows) + found.wrong == len(rows)
    assert len({row.key for row in found.rows}) == len(found.rows)
    assert all(START <= row.happened_on <= END for row in found.rows)


@settings(deadline=None)  # the first workbook takes a while
@given(st.binary(max_size=300), st.sampled_from(["list.csv", "list.xlsx"]))
def test_whatever_is_sent_as_a_list_is_understood_or_refused(
    body: bytes, name: str
) -> None:
    try:
        parsed = parse_lines(body, name, event_list.LIMITS)
        event_list.events_of(parsed, START, END, zone=dt.UTC)
    except Refused:
        return


@given(
    st.lists(st.tuples(keys.filter(bool), days), max_size=5, unique_by=lambda r: r[0])
)
def test_the_digest_tells_lists_apart(rows: list[tuple[str, dt.date]]) -> None:
    made = [event_list.EventRow(n, key, day) for n, (key, day) in enumerate(rows)]
    digest = event_list.digest_of(made)
    assert digest == event_list.digest_of(made)
    if len(made) > 1:
        assert digest != event_list.digest_of(made[::-1])
