"""Which column of a provider's document holds what, told by its headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controls.errors import Refused
from controls.provider_documents.classes import EXPLAINED, class_of, words_of
from controls.spreadsheets import Line, column_letters

NAMES_OF_CONTROL = {"control", "controls", "id", "number", "control #", "requirement"}
BEGINS_CONTROL = ("control id", "control number", "control no", "nist control")
NAMES_OF_PART = {"part", "control part", "statement part", "sub-part", "subpart"}
NAMES_OF_CLASS = {
    "responsibility",
    "responsible",
    "responsible party",
    "control responsibility",
    "responsibility type",
    "control ownership",
    "ssrm control ownership",
}
WORDS_OF_TEXT = {"statement", "wording", "details", "narrative"}
REMARKS = {"comment", "comments", "notes", "remarks"}
# A summary of implementation has a column of marks for each origin of a control.
ORIGINS_MIN = 3


@dataclass(frozen=True)
class Columns:
    """Where the columns of a matrix stand, from 0; part and wording may be missing.

    `unread` are the headings of columns that name a class too, by column.
    """

    control: int
    responsibility: int
    text: int | None
    part: int | None = None
    unread: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class SummaryColumns:
    """Where a summary of implementation (CIS) has its marks: the class by column."""

    control: int
    origins: tuple[tuple[int, str], ...]


def control_column(line: Line) -> int | None:
    """The first column whose heading names controls."""
    return next(
        (column for column, words in enumerate(_headings(line)) if _is_control(words)),
        None,
    )


def columns_of(line: Line) -> Columns | None:
    """The columns of a matrix, where this line names them; else None.

    Raises Refused where two columns that are read bear one heading.
    """
    headings = _headings(line)
    control = control_column(line)
    if control is None:
        return None
    part = next((n for n, words in enumerate(headings) if words in NAMES_OF_PART), None)
    taken = {control, part}
    by_class = _ranked(headings, taken, _rank_of_class)
    if not by_class:
        return None
    responsibility = by_class[0][1]
    by_text = _ranked(headings, {*taken, responsibility}, _rank_of_text)
    text = by_text[0][1] if by_text else None
    for used in (control, responsibility, text):
        if used is not None and headings.count(headings[used]) > 1:
            place, heading = line.place(used), line.cell(used)
            sentence = f"Two columns are called “{heading[:60]}” ({place})."
            raise Refused(sentence, code="duplicate_header")
    unread = tuple(
        (column, line.cell(column))
        for rank, column in by_class[1:]
        if rank < 2 and column != text
    )
    return Columns(control, responsibility, text, part, unread)


def origins_of(line: Line) -> tuple[tuple[int, str], ...]:
    """The columns of marks with the class that each means; empty for another line."""
    origins = [
        (column, responsibility)
        for column, words in enumerate(_headings(line))
        if ("customer" in words or "provider" in words or "inherited" in words)
        and (responsibility := class_of(words))
    ]
    return tuple(origins) if len(origins) >= ORIGINS_MIN else ()


def heading_named(column: int, heading: str) -> str:
    """A column as a message names it: `column D (“Inherited from AWS”)`."""
    return f"column {column_letters(column)} (“{heading[:60]}”)"


def _headings(line: Line) -> list[str]:
    return [words_of(cell.replace("_", " ")) for cell in line.cells]


def _is_control(words: str) -> bool:
    return words in NAMES_OF_CONTROL or words.startswith(BEGINS_CONTROL)


def _ranked(
    headings: Sequence[str], taken: set[int | None], rank: Callable[[str], int | None]
) -> list[tuple[int, int]]:
    """Rank and column of those that may be meant, the likeliest first."""
    ranks = [(rank(words), column) for column, words in enumerate(headings)]
    return sorted(
        (number, column)
        for number, column in ranks
        if number is not None and column not in taken
    )


def _rank_of_class(words: str) -> int | None:
    if "inherit" in words and "specific" not in words:
        return 0
    if EXPLAINED.sub("", words) in NAMES_OF_CLASS:
        return 1
    if "responsib" not in words or "specific" in words:
        return None
    return 3 if "responsibilities" in words else 2


def _rank_of_text(words: str) -> int | None:
    each_word = set(re.findall(r"[a-z]+", words))
    if "specific" in each_word:
        return 0
    if each_word & WORDS_OF_TEXT:
        return 1
    if "description" in each_word and not words.startswith("control "):
        return 2
    if "responsib" in words:
        return 3
    if "description" in each_word:
        return 4
    return 5 if each_word & REMARKS else None
