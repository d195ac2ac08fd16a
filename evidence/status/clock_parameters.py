"""The one parser of clocks: days, instants and windows as people write them. Pure.

Pages, the API and commands take the same texts within the same bounds and refuse the
rest with the same sentences; a door only says where the sentence stands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MIN_DAY = dt.date(1990, 1, 1)
MAX_DAY = dt.date(2200, 12, 31)
MAX_WINDOW = 1830  # days: five years
MAX_QUOTED = 40  # characters of a wrong text that its sentence repeats
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# A `+` that was not escaped arrives as a space.
ISO_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)"
    r"(?:([Zz])|([+ -])(\d\d)(?::?(\d\d))?)",
    re.ASCII,
)
TRUE, FALSE = frozenset({"1", "true"}), frozenset({"", "0", "false"})
CLOCK_NAMES = ("on", "known_at", "as_known_then")
WINDOW_NAMES = ("window_from", "window_to")

Window = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class ClockFault:
    """What is wrong with one parameter: its name, a code and a sentence."""

    parameter: str
    code: str
    sentence: str


class ClockError(ValueError):
    """A text that is no day or instant within the bounds."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class ClockParameters:
    """The clocks that an address names; None where it names none.

    `known` is a day, meaning its end, or an instant with an offset. What has a fault
    counts as not named.
    """

    on: dt.date | None
    known: dt.date | dt.datetime | None
    as_known_then: bool
    window: Window | None
    faults: tuple[ClockFault, ...]


def parse_day(text: str) -> dt.date:
    """The day of a text such as 2026-06-30, MIN_DAY to MAX_DAY. Raises ClockError."""
    text = text.strip()
    try:
        if not ISO_DAY.fullmatch(text):
            raise ValueError(text)
        day = dt.date.fromisoformat(text)
    except ValueError:
        sentence = f"“{quoted(text)}” is not a day such as 2026-06-30."
        raise ClockError("not_a_day", sentence) from None
    _require_bounds(day, text)
    return day


def parse_instant(text: str) -> dt.datetime:
    """The instant of a text such as 2026-06-30T12:00:00Z, in UTC: the database knows
    no offset of 16 hours or more.

    Raises ClockError: no such instant (leap seconds too), or outside the bounds.
    """
    text = text.strip()
    match = ISO_INSTANT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        day, time, zulu, sign, hours, minutes = match.groups()
        offset = (
            "+00:00" if zulu else f"{sign.replace(' ', '+')}{hours}:{minutes or 0:0>2}"
        )
        instant = dt.datetime.fromisoformat(f"{day}T{time}{offset}")
    except ValueError:
        sentence = (
            f"“{quoted(text)}” is not an instant with an offset, such as"
            " 2026-06-30T12:00:00Z."
        )
        raise ClockError("not_an_instant", sentence) from None
    _require_bounds(instant.date(), text)
    return instant.astimezone(dt.UTC)


def parse_known(text: str) -> dt.date | dt.datetime:
    """How much is known: a day, meaning its end, or an instant. Raises ClockError."""
    if ISO_DAY.fullmatch(text.strip()):
        return parse_day(text)
    try:
        return parse_instant(text)
    except ClockError as fault:
        if fault.code != "not_an_instant":
            raise
    sentence = (
        f"“{quoted(text.strip())}” is neither a day such as 2026-06-30 nor an instant"
        " with an offset, such as 2026-06-30T12:00:00Z."
    )
    raise ClockError("not_an_instant", sentence)


def window_faults(start: dt.date, end: dt.date) -> list[ClockFault]:
    """What is wrong with a window from `start` to `end`, both included."""
    faults = [
        ClockFault(name, "out_of_bounds", _bounds_sentence(str(day)))
        for name, day in zip(WINDOW_NAMES, (start, end), strict=True)
        if not MIN_DAY <= day <= MAX_DAY
    ]
    if end < start:
        sentence = "The window ends before it starts."
        faults.append(ClockFault("window_to", "window_order", sentence))
    elif (end - start).days >= MAX_WINDOW:
        sentence = f"A window has at most {MAX_WINDOW} days."
        faults.append(ClockFault("window_to", "window_length", sentence))
    return faults


def read_clocks(parameters: Mapping[str, Sequence[str]]) -> ClockParameters:
    """The clocks among the parameters of an address, by name with all their values.

    An empty value means what a missing one means. Raises nothing: see `faults`.
    """
    faults: list[ClockFault] = []
    texts = {
        name: _single(name, parameters.get(name, ()), faults)
        for name in (*CLOCK_NAMES, *WINDOW_NAMES)
    }
    on = _day("on", texts["on"], faults)
    known: dt.date | dt.datetime | None = None
    if texts["known_at"]:
        try:
            known = parse_known(texts["known_at"])
        except ClockError as fault:
            faults.append(ClockFault("known_at", fault.code, fault.sentence))
    then = _flag("as_known_then", texts["as_known_then"], faults)
    window = _window(texts, faults)
    return ClockParameters(on, known, then, window, tuple(faults))


def day_parameter(
    parameters: Mapping[str, Sequence[str]], name: str, faults: list[ClockFault]
) -> dt.date | None:
    """One day among the parameters; None where it is missing, empty or wrong."""
    return _day(name, _single(name, parameters.get(name, ()), faults), faults)


def messages_by_parameter(faults: Iterable[ClockFault]) -> dict[str, list[str]]:
    """The sentences of faults under the names of their parameters."""
    messages: dict[str, list[str]] = {}
    for fault in faults:
        messages.setdefault(fault.parameter, []).append(fault.sentence)
    return messages


def quoted(text: str) -> str:
    """A wrong text as its sentence repeats it: short and printable."""
    shown = "".join(c if c.isprintable() else "�" for c in text[:MAX_QUOTED])
    return shown if len(text) <= MAX_QUOTED else f"{shown}…"


def _single(name: str, values: Sequence[str], faults: list[ClockFault]) -> str:
    """The value of a parameter, without surrounding space; it may stand once."""
    if len(values) > 1:
        faults.append(ClockFault(name, "repeated", f"Give “{name}” only once."))
        return ""
    return values[0].strip() if values else ""


def _day(name: str, text: str, faults: list[ClockFault]) -> dt.date | None:
    if not text:
        return None
    try:
        return parse_day(text)
    except ClockError as fault:
        faults.append(ClockFault(name, fault.code, fault.sentence))
        return None


def _flag(name: str, text: str, faults: list[ClockFault]) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    sentence = f"“{quoted(text)}” is neither true nor false."
    faults.append(ClockFault(name, "not_a_flag", sentence))
    return False


def _window(texts: Mapping[str, str], faults: list[ClockFault]) -> Window | None:
    known_faults = len(faults)
    start, end = (_day(name, texts[name], faults) for name in WINDOW_NAMES)
    if start and end:
        wrong = window_faults(start, end)
        faults.extend(wrong)
        return None if wrong else (start, end)
    if (start or end) and len(faults) == known_faults:
        sentence = "Give both days of a window, or none."
        faults.append(ClockFault("window_to", "half_a_window", sentence))
    return None


def _require_bounds(day: dt.date, text: str) -> None:
    if not MIN_DAY <= day <= MAX_DAY:
        raise ClockError("out_of_bounds", _bounds_sentence(text))


def _bounds_sentence(text: str) -> str:
    return f"“{quoted(text)}” lies outside {MIN_DAY} to {MAX_DAY}."
