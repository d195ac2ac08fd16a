"""Rows of the statements behind status and period, as known now or at an instant."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from controls.history.short_statements import planned_once
from evidence.models.keys import among as among
from evidence.models.keys import as_bigints as as_bigints
from evidence.status import gather_sql

Row = Mapping[str, Any]
# As many keys PostgreSQL expects in an array that it does not see while it plans. For
# more of them it plans anew: a thousand controls are read by hashes, not one by one.
FEW = 10


@dataclass(frozen=True)
class Moment:
    """What an answer is about and how much is known.

    `known_at` is exclusive; None means all that is recorded now.
    """

    on: dt.date
    known_at: dt.datetime | None = None


def read_rows(statement: str, moment: Moment, **parameters: Any) -> list[Row]:
    """The rows of a statement of relations in braces (`gather_sql`), by column name.

    `%(day)s` and `%(known_at)s` are the moment's; the rest comes by name.
    """
    text = gather_sql.render(statement, as_known_then=moment.known_at is not None)
    clocks = {"day": moment.on, "known_at": moment.known_at}
    few = all(_length(value) <= FEW for value in parameters.values())
    with planned_once() if few else connection.cursor() as cursor:
        cursor.execute(text, clocks | parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _length(value: Any) -> int:
    """How many keys a parameter holds, as a list or as `as_bigints` writes them."""
    if isinstance(value, str):
        return value.count(",") + 1
    return len(value) if isinstance(value, list | tuple) else 1


# The statement once for each instant, whose number leads each of its rows.
AT_INSTANTS = """
SELECT instant.number AS instant_number, row.*
  FROM unnest(%(instants)s::timestamptz[]) WITH ORDINALITY AS instant(known_at, number)
 CROSS JOIN LATERAL (
   SELECT row_number() OVER () AS place_of_row, stated.* FROM ({statement}) stated) row
 ORDER BY instant.number, row.place_of_row
"""


def read_rows_at(
    statement: str, on: dt.date, instants: Sequence[dt.datetime], **parameters: Any
) -> list[list[Row]]:
    """The rows of a statement as they were known before each of some instants, each in
    their order. One statement, however many instants there are."""
    text = gather_sql.render(statement, as_known_then=True)
    text = text.replace("%(known_at)s", "instant.known_at")
    rows: list[list[Row]] = [[] for _ in instants]
    with connection.cursor() as cursor:
        cursor.execute(
            AT_INSTANTS.format(statement=text),
            {"day": on, "instants": [at.isoformat() for at in instants], **parameters},
        )
        names = [column.name for column in cursor.description][2:]
        for number, _, *values in cursor.fetchall():
            rows[number - 1].append(dict(zip(names, values, strict=True)))
    return rows


def grouped(rows: Iterable[Row], key: str) -> defaultdict[Any, list[Row]]:
    """The rows by the value of a column; of a value without rows, none."""
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def as_json(value: Any) -> Any:
    """jsonb of a raw cursor as data: Django leaves it as text."""
    return json.loads(value) if isinstance(value, str) else value


def as_dates(days: Iterable[dt.date | None]) -> str:
    """Days as text that PostgreSQL reads as date[]: thousands are written at once."""
    return f"{{{','.join(day.isoformat() if day else 'NULL' for day in days)}}}"
