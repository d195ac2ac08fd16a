"""How often a baseline's own parameter asks for something. Pure. Source: R18."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Most frequent first.
FREQUENCY = ("weekly", "monthly", "quarterly", "half-yearly", "yearly")
WORDS = {
    "weekly": "weekly",
    "monthly": "monthly",
    "quarterly": "quarterly",
    "annually": "yearly",
}
# Days that a cadence leaves between two performances, at most.
DAYS = {"weekly": 7, "monthly": 31, "quarterly": 92, "half-yearly": 184, "yearly": 366}
UNITS = {"day": 1, "week": 7, "month": 30.5, "year": 365}
# Only a text that begins as a frequency is one: not "within thirty (30) days of".
FREQUENCY_TEXT = re.compile(
    r"^(?:frequency\s+|functional,\s+)?"
    r"(?:at least\s+|at a minimum,?\s+|as before first use and\s+)?"
    r"(?:(weekly|monthly|quarterly|annually)\b"
    r"|every\s+(?:[a-z-]+\s+)?\(?(\d+|six|three|two)\)?\s+(day|week|month|year)s?)",
    re.IGNORECASE,
)
NUMBERS = {"six": 6, "three": 3, "two": 2}


@dataclass(frozen=True)
class StatedFrequency:
    """A frequency with the parameter that states it, and the text of its value."""

    cadence: str
    parameter: str
    text: str


def cadence_of(text: str) -> str | None:
    """The cadence a parameter's value asks for; None where it is no frequency.

    Rarer than yearly is None: the yearly default is stricter.
    """
    match = FREQUENCY_TEXT.match(text.strip())
    if match is None:
        return None
    word, number, unit = match.groups()
    if word:
        return WORDS[word.lower()]
    count = NUMBERS.get(number.lower()) or int(number)
    days = count * UNITS[unit.lower()]
    fitting = [name for name in FREQUENCY if DAYS[name] <= days + 4]
    if days > DAYS["yearly"] or not fitting:
        return None
    return fitting[-1]


def stated_frequency(parameters: Mapping[str, str]) -> StatedFrequency | None:
    """The most frequent cadence among a control's parameters; None where none is."""
    frequencies = [
        StatedFrequency(cadence, name, text.strip())
        for name, text in sorted(parameters.items())
        if (cadence := cadence_of(str(text)))
    ]
    return min(frequencies, key=lambda row: FREQUENCY.index(row.cadence), default=None)


def less_frequent(cadence: str, than: str) -> bool:
    """Whether a cadence asks less often; once is rarest, per event is no frequency."""
    if cadence == "per-event":
        return False
    order = (*FREQUENCY, "once")
    return order.index(cadence) > order.index(than)
