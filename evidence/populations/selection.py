"""Which positions of a population a sample holds. Pure, and the same for everybody.

Positions count from 1. A random sample can be drawn again without this program: write
`SEED|POSITION` for every position, take the sha256 of each text in UTF-8, sort by it
as hex (equal ones by position), and keep the first `size`. No generator of any
language or version is involved.
"""

from __future__ import annotations

import hashlib
import heapq
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from controls.errors import Refused
from controls.grammar import count_of

MAX_SAMPLE = 1000
ROWS = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7}))?")  # 3 or 40-42


@dataclass(frozen=True)
class SelectionMethod:
    """How to choose; only what the method asks for is read.

    random: `size` and `seed`. every-nth: `every` and `first`. by-hand: `positions`.
    """

    method: str
    size: int | None = None
    seed: str = ""
    every: int | None = None
    first: int | None = None
    positions: Sequence[int] = ()


def new_seed() -> str:
    """A seed that nobody could choose for its outcome: 128 bits in hex."""
    return secrets.token_hex(16)


def select(way: SelectionMethod, total: int) -> tuple[int, ...]:
    """The chosen positions in ascending order.

    Raises Refused, by field, for what cannot be drawn from `total` rows.
    """
    if total < 1:
        raise Refused("There is nothing to draw from: the population has no rows.")
    drawers = {
        "random": _at_random,
        "every-nth": _every_nth,
        "all": _all,
        "by-hand": _by_hand,
    }
    if way.method not in drawers:
        raise Refused({"method": f"Choose one of {', '.join(drawers)}."})
    positions = drawers[way.method](way, total)
    if len(positions) > MAX_SAMPLE:
        sentence = (
            f"That would be {len(positions):,} items; at most {MAX_SAMPLE:,} are drawn."
        )
        raise Refused(sentence)
    return positions


def rank(seed: str, position: int) -> str:
    """What random samples are ordered by: sha256 of `SEED|POSITION`, in hex."""
    return hashlib.sha256(f"{seed}|{position}".encode()).hexdigest()


def _at_random(way: SelectionMethod, total: int) -> tuple[int, ...]:
    size = way.size or 0
    if size < 1:
        raise Refused({"size": "Draw at least one item."})
    if size > total:
        raise Refused(
            {"size": f"Only {count_of(total, 'row', 'is')} there to draw from."}
        )
    if not way.seed:
        raise Refused({"seed": "A random sample needs a seed."})
    ranked = ((rank(way.seed, n), n) for n in range(1, total + 1))
    return tuple(sorted(n for _, n in heapq.nsmallest(size, ranked)))


def _every_nth(way: SelectionMethod, total: int) -> tuple[int, ...]:
    every, first = way.every or 0, way.first or 0
    if every < 1:
        raise Refused({"every": "Choose a whole number of 1 or more."})
    if not 1 <= first <= total:
        raise Refused({"first": f"Begin between 1 and {total:,}."})
    return tuple(range(first, total + 1, every))


def _all(way: SelectionMethod, total: int) -> tuple[int, ...]:
    return tuple(range(1, total + 1))


def _by_hand(way: SelectionMethod, total: int) -> tuple[int, ...]:
    if not way.positions:
        raise Refused({"positions": "Name at least one row."})
    unknown = sorted(n for n in set(way.positions) if not 1 <= n <= total)
    if unknown:
        named = ", ".join(str(n) for n in unknown[:10])
        raise Refused({"positions": f"There is no row {named}."})
    return tuple(sorted(set(way.positions)))


def positions_of(text: str) -> tuple[int, ...]:
    """Positions as people type them: `3, 17 40-42`. Raises Refused."""
    positions: list[int] = []
    for part in text.replace(",", " ").split():
        typed = ROWS.fullmatch(part)
        if typed is None:
            raise Refused({"positions": f"“{part[:20]}” is not a row number."})
        first, last = int(typed[1]), int(typed[2] or typed[1])
        if last < first:
            raise Refused({"positions": f"“{part[:20]}” is not a range of rows."})
        if last - first >= MAX_SAMPLE:
            raise Refused({"positions": f"At most {MAX_SAMPLE:,} items are drawn."})
        positions.extend(range(first, last + 1))
    return tuple(positions)
