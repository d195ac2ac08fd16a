"""Tables of what a verb answers from each state, and how one cell of them is tried.

A table is text: a heading of states, then a row for each verb and door. A cell says

- `=accepted`: done, and the row is accepted afterwards;
- `409 decided`: refused with this status and the sentence that the file's `SENTENCES`
  keep under that word. A refusal leaves the database as it was, to the last column;
- `-`: there is no such row.

A page that redirects with a refusal on it is `302` with its sentence, or (for what a
button of a page no longer offers) the status of the page that is answered at once.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.test import Client

from controls.models import User
from srm_project.typed import texts_among
from tests.sign_ins import sign_in_just_now

DONE = frozenset({200, 201, 202, 204, 302})
# Written by every request that is let in, whatever became of it.
NOT_COUNTED = (
    "django_session", "usersessions_usersession", "controls_idempotencykey",
)  # fmt: skip
# That somebody was refused is on record (AU-01): nothing of what was refused.
BUT = {"controls_auditevent": "verb <> 'access.refused'"}
CONTENTS = """
SELECT coalesce(string_agg(c.relname, ' '), '') FROM pg_class c
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
BUT_WRITTEN = ", but written:"
# By table, what this transaction wrote so far, also what it took back to a savepoint.
WRITTEN = """
SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables
 WHERE schemaname = 'public' AND n_tup_ins + n_tup_upd + n_tup_del > 0
"""
SPACE = re.compile(r"\s+")


class Undo(Exception):
    """Takes back what one cell wrote."""


@dataclass(frozen=True)
class Row:
    """One verb at one door: what it answers from each state."""

    verb: str
    door: str
    cells: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.verb} by {self.door}"


@dataclass(frozen=True)
class Attempt:
    """How a verb is taken at a door: who asks, where, what is sent."""

    by: User
    address: str
    body: Any
    api: bool = False
    headers: Mapping[str, str] | None = None
    method: str = "post"


def rows_of(table: str) -> list[Any]:
    """The rows of a table, each a parameter of a test under its verb and door.

    Columns are parted by two spaces or more. Raises ValueError for a row that has more
    or fewer cells than there are states.
    """
    lines = [line for line in table.strip().splitlines() if line.strip()]
    _, _, *states = _columns(lines[0])
    rows = []
    for line in lines[1:]:
        verb, door, *cells = _columns(line)
        if len(cells) != len(states):
            raise ValueError(f"{verb} by {door}: {len(cells)} cells")
        row = Row(verb, door, dict(zip(states, cells, strict=True)))
        rows.append(pytest.param(row, id=str(row).replace(" ", "-")))
    return rows


def _columns(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def wrong_cells(
    row: Row,
    made: Callable[[str], Any],
    attempt: Callable[[Row, Any], Attempt],
    state_of: Callable[[Any], str],
    sentences: Mapping[str, str],
) -> list[str]:
    """Each cell of a row that answers otherwise, with what it answers.

    `made` makes what the verb is taken on in a state; `state_of` reads where it stands.
    """
    wrong = []
    for state, cell in row.cells.items():
        if cell == "-":
            continue
        for rows in (written, contents):
            with _taken_back():
                subject = made(state)
                taken = attempt(row, subject)
                found = _found(taken, cell, sentences, subject, state_of, rows)
            if BUT_WRITTEN not in found:  # else it may have been taken back: look anew
                break
        if found != cell:
            wrong.append(f"{state}: table {cell!r}, found {found!r}")
    return wrong


def _found(
    attempt: Attempt,
    cell: str,
    sentences: Mapping[str, str],
    subject: Any,
    state_of: Callable[[Any], str],
    rows: Callable[[], Mapping[str, Any]],
) -> str:
    """What came back, as a cell says it; `rows` is asked before and after a refusal."""
    client = Client(raise_request_exception=False)
    sign_in_just_now(client, attempt.by)
    before = rows()
    answer = send(client, attempt)
    text = shown_by(answer)
    if answer.streaming:
        list(answer.streaming_content)  # to its end: it holds a place among downloads
    refused = answer.status_code not in DONE or bool(_errors(answer))
    if not refused:
        with connection.cursor() as cursor:  # what a commit would check
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return f"={state_of(subject)}"
    after = rows()
    if after != before:
        changed = sorted(t for t in after if after[t] != before.get(t))
        return f"{answer.status_code}{BUT_WRITTEN} {changed}"
    if lost := _lost(attempt, answer):
        return f"{answer.status_code}, but lost what was typed: {lost}"
    _, _, key = cell.partition(" ")
    if key and sentences.get(key, "\0") in text:
        return f"{answer.status_code} {key}"
    for other, sentence in sentences.items():
        if sentence in text:
            return f"{answer.status_code} {other}"
    return f"{answer.status_code} with {text[:200]!r}"


def send(client: Client, attempt: Attempt) -> Any:
    """The answer to an attempt."""
    options: dict[str, Any] = {"headers": dict(attempt.headers or {})}
    if attempt.api and not _holds_files(attempt.body):
        options["content_type"] = "application/json"
    take = getattr(client, attempt.method)
    return take(attempt.address, attempt.body, **options)


def _holds_files(body: Any) -> bool:
    values = body.values() if isinstance(body, dict) else ()
    return "files" in body or any(hasattr(value, "read") for value in values)


def shown_by(answer: Any) -> str:
    """What a person or program reads in an answer: its main part and its messages."""
    if answer.streaming:
        return ""
    text = answer.content.decode()
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        main = text.partition("<main")[2] or text
        text = html.unescape(re.sub(r"<[^>]*>", " ", main))
    elif "json" in answer.headers.get("Content-Type", ""):
        text = json.dumps(json.loads(text), ensure_ascii=False)
    said = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    return SPACE.sub(" ", f"{text} {said}").strip()


def _lost(attempt: Attempt, answer: Any) -> list[str]:
    """Texts that a person typed and that the page of a refusal does not hold.

    Of a form: a program keeps what it sent, and the admin has forms of its own. A
    browser's form is read for its token before anything else; a test sends none.
    """
    if attempt.api or attempt.address.startswith("/admin/"):
        return []
    if answer.status_code in {403, 404} and not hasattr(answer.wsgi_request, "_post"):
        return []
    page = html.unescape(answer.content.decode())
    body = attempt.body.items()
    typed = [(name, text) for name, text in body if isinstance(text, str)]
    return [text for _, text in texts_among(typed) if text not in page]


def _errors(answer: Any) -> list[str]:
    """Refusals that a page tells on the next one."""
    if answer.status_code != 302:
        return []
    said = get_messages(answer.wsgi_request)
    return [str(message) for message in said if message.level_tag == "error"]


def contents() -> dict[str, str]:
    """A digest of the rows of every table that a request of ours may write."""
    with connection.cursor() as cursor:
        cursor.execute(CONTENTS)
        tables = cursor.fetchone()[0].split()
        cursor.execute(
            " UNION ALL ".join(_digest_of(t) for t in tables if t not in NOT_COUNTED)
        )
        return dict(cursor.fetchall())


def written() -> dict[str, Any]:
    """How many rows of each table this transaction wrote so far.

    It costs a tenth of `contents` and misses nothing that is written, but also counts
    what is taken back to a savepoint: of tables in `BUT` it is a digest.
    """
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        counted = {table: counts for table, *counts in cursor.fetchall()}
        cursor.execute(" UNION ALL ".join(map(_digest_of, BUT)))
        digests = dict(cursor.fetchall())
    return {t: n for t, n in counted.items() if t not in NOT_COUNTED} | digests


def _digest_of(table: str) -> str:
    return (
        f"SELECT '{table}', count(*) || ' ' ||"
        f' coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM "{table}" t'
        f" WHERE {BUT.get(table, 'true')}"
    )


@contextmanager
def _taken_back() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
            raise Undo
    except Undo:
        pass
