"""Numbers in sentences: one form of a word for one, another for many. Pure."""

from __future__ import annotations

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
