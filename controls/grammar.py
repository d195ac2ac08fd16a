"""Numbers, days and sizes in sentences. Pure."""

from __future__ import annotations

import datetime as dt

IRREGULAR = {"is": "are", "was": "were", "has": "have", "differs": "differ"}
CONSONANTS_BEFORE_Y = frozenset("bcdfghjklmnpqrstvwxz")


def plural_of(noun: str) -> str:
    """The plural of a phrase by its first word: `piece of evidence`, `reply`."""
    first, space, rest = noun.partition(" ")
    if first.endswith("y") and first[-2:-1] in CONSONANTS_BEFORE_Y:
        first = f"{first[:-1]}ies"
    elif first.endswith(("s", "x", "ch", "sh")):
        first = f"{first}es"
    else:
        first = f"{first}s"
    return f"{first}{space}{rest}"


def count_of(number: int, noun: str, verb: str = "") -> str:
    """`1 control`, `2 controls`; with a verb `1 control has`, `2 controls have`.

    The noun is given in the singular with its plural after a comma where its first
    word is not the one that changes: `sampled item,sampled items`. Numbers from 1,000
    on get their commas.
    """
    one, _, many = noun.partition(",")
    words = one if number == 1 else many or plural_of(one)
    counted = f"{number:,} {words}"
    return f"{counted} {verb_for(number, verb)}" if verb else counted


def verb_for(number: int, verb: str) -> str:
    """The verb, given for one, as it follows a number: `has`, `have`; `waits`, `wait`.

    A phrase changes by its first word: `differs from it`.
    """
    first, space, rest = verb.partition(" ")
    if number != 1:
        first = IRREGULAR.get(first) or first.removesuffix("s")
    return f"{first}{space}{rest}"


def day_in_words(day: dt.date) -> str:
    """A day as sentences write it: `5 October 2026`. Tables write `2026-10-05`."""
    return f"{day.day} {day:%B %Y}"


def size_in_words(size_bytes: int) -> str:
    """Bytes as people read them, in steps of 1,000: `412 kB`, `1.2 MB`, `500 MB`.

    Limits are said in the same unit everywhere, also by the upload script.
    """
    if size_bytes < 1_000:
        return count_of(size_bytes, "byte")
    if size_bytes < 1_000_000:
        return f"{-(-size_bytes // 1_000)} kB"
    for unit, of_it in (("MB", 1_000_000), ("GB", 1_000_000_000)):
        if size_bytes < 1_000 * of_it or unit == "GB":
            break
    return f"{size_bytes / of_it:.1f}".removesuffix(".0") + f" {unit}"
