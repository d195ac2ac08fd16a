"""Days, instants and windows as people write them, read by one parser. Pure."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.status.clock_parameters import (
    MAX_DAY,
    MIN_DAY,
    ClockError,
    parse_day,
    parse_instant,
    parse_known,
    read_clocks,
)

DAYS = st.dates(MIN_DAY, MAX_DAY)
# Texts close to what is taken, and texts that are not.
ODD = st.text("0123456789-:TZ+ .W/\0é٣", max_size=30) | st.builds(
    "{:04}-{:02}-{:02}{}".format,
    st.integers(0, 10_001),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from(["", "T12:00Z", "T23:59:60Z", "T00:00:00+14:00", "T12:00", "\0"]),
)
NAMES = ("on", "known_at", "as_known_then", "window_from", "window_to")


@given(DAYS)
def test_every_day_within_the_bounds_is_read(day):
    assert parse_day(f" {day} ") == day


@given(
    st.datetimes(dt.datetime(1991, 1, 1), dt.datetime(2199, 1, 1)),
    st.integers(1 - 24 * 60, 24 * 60 - 1),
)
def test_every_instant_is_read_as_its_own_offset_says(moment, minutes):
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    instant = moment.replace(tzinfo=zone)
    assert parse_instant(instant.isoformat()) == instant
    # in UTC: no database would take an offset of 16 hours
    assert parse_instant(instant.isoformat()).utcoffset() == dt.timedelta(0)
    assert parse_instant(instant.isoformat(" ")) == instant


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-06-30T12:00:00Z", "2026-06-30T12:00:00+00:00"),
        ("2026-06-30T12:00z", "2026-06-30T12:00:00+00:00"),
        ("2026-06-30T12:00:00-05:30", "2026-06-30T17:30:00+00:00"),
        # a plus sign that nobody escaped in an address
        ("2026-06-30T12:00:00 02:00", "2026-06-30T10:00:00+00:00"),
        ("2026-06-30 12:00:00+02", "2026-06-30T10:00:00+00:00"),
        ("2026-06-30T12:00:00.123456789Z", "2026-06-30T12:00:00.123456+00:00"),
    ],
)
def test_the_spellings_of_an_instant(text, utc):
    assert parse_instant(text) == dt.datetime.fromisoformat(utc)
    assert parse_known(text) == parse_instant(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-02-30", "not_a_day"),
        ("0000-01-01", "not_a_day"),
        ("0001-01-01", "out_of_bounds"),
        ("1989-12-31", "out_of_bounds"),
        ("2201-01-01", "out_of_bounds"),
        ("9999-12-31", "out_of_bounds"),
        ("10000-01-01", "not_a_day"),
        ("20260630", "not_a_day"),
        ("2026-W26-2", "not_a_day"),
        ("06/30/2026", "not_a_day"),
        ("٢٠٢٦-٠٦-٣٠", "not_a_day"),
        ("2026-06-30\0", "not_a_day"),
        ("2026-06-30T00:00:00Z", "not_a_day"),
        ("", "not_a_day"),
    ],
)
def test_what_is_no_day_has_a_code_and_is_named(text, code):
    with pytest.raises(ClockError) as refusal:
        parse_day(text)
    assert refusal.value.code == code
    assert "\0" not in refusal.value.sentence
    assert text.strip("\0")[:20] in refusal.value.sentence


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-06-30T12:00:00", "not_an_instant"),  # no offset
        ("2016-12-31T23:59:60Z", "not_an_instant"),  # a leap second
        ("2026-06-30T12:00:00+24:00", "not_an_instant"),
        ("2026-06-30T24:01:00Z", "not_an_instant"),
        ("2026-02-30T12:00:00Z", "not_an_instant"),
        ("0000-06-30T12:00:00Z", "not_an_instant"),
        ("10000-06-30T12:00:00Z", "not_an_instant"),
        ("0001-01-01T00:00:00+14:00", "out_of_bounds"),
        ("9999-12-31T23:59:59-14:00", "out_of_bounds"),
        ("yesterday", "not_an_instant"),
    ],
)
def test_what_is_no_instant_has_a_code(text, code):
    for parse in (parse_instant, parse_known):
        with pytest.raises(ClockError) as refusal:
            parse(text)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"on": ["2026-01-01", "2026-01-01"]}, ("on", "repeated")),
        ({"as_known_then": ["yes"]}, ("as_known_then", "not_a_flag")),
        ({"window_from": ["2026-01-01"]}, ("window_to", "half_a_window")),
        ({"window_to": ["2026-01-01"]}, ("window_to", "half_a_window")),
        (
            {"window_from": ["2026-01-02"], "window_to": ["2026-01-01"]},
            ("window_to", "window_order"),
        ),
        (
            {"window_from": ["2020-01-01"], "window_to": ["2025-01-05"]},
            ("window_to", "window_length"),
        ),
        (
            {"window_from": ["x"], "window_to": ["2025-01-05"]},
            ("window_from", "not_a_day"),
        ),
    ],
)
def test_faults_of_parameters_are_named_and_count_as_not_named(parameters, expected):
    named = read_clocks(parameters)
    assert [(f.parameter, f.code) for f in named.faults] == [expected]
    assert (named.on, named.known, named.window) == (None, None, None)
    assert not named.as_known_then


def test_a_window_may_end_in_the_future_and_last_five_years():
    window = {"window_from": ["2026-01-01"], "window_to": ["2031-01-04"]}
    named = read_clocks(window)
    assert named.window == (dt.date(2026, 1, 1), dt.date(2031, 1, 4))
    assert not named.faults


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(ODD, max_size=2)))
def test_whatever_stands_in_an_address_is_read_or_named(parameters):
    named = read_clocks(parameters)
    if named.on:
        assert MIN_DAY <= named.on <= MAX_DAY
    if isinstance(named.known, dt.datetime):
        assert named.known.tzinfo is not None
    if named.window:
        assert named.window[0] <= named.window[1]
    for name, texts in parameters.items():
        read = {"on": named.on, "known_at": named.known}.get(name)
        if len(texts) == 1 and texts[0].strip() and name in {"on", "known_at"}:
            assert (read is None) == any(f.parameter == name for f in named.faults)
