"""A table of numbers seen before it is adopted: sealed, then confirmed within an hour.

Confirmed again it is the same version of the table, and nothing more is made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from controls.access import require_officer
from controls.crosswalks.adopt import (
    CrosswalkPreview,
    adopt,
    preview,
    versions_followed,
)
from controls.crosswalks.rows import CrosswalkFile, CrosswalkRow, CrosswalkRowError
from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor, Crosswalk, System
from controls.sealed_previews import seal, unseal
from controls.spreadsheets import Place

SALT = "controls.crosswalk"
MAX_TOKEN = 1_000_000  # characters
AGAIN = "Send the file again."


def sealed_crosswalk(
    system: System,
    read: CrosswalkFile,
    compared: CrosswalkPreview,
    *,
    title: str,
    starts_on: dt.date,
    by: Actor,
) -> str:
    """What was shown of a file as a signed text that who asked may confirm once.

    Empty where it speaks of no control of the system. Raises NotPermitted for all but
    officers, and Refused for more text than fits.
    """
    require_officer(system, by)
    if not compared.stated:
        return ""
    body = {
        "title": title,
        "starts_on": str(starts_on),
        "followed": _followed(system, title, starts_on),
        "shown": _digest(system, title, starts_on, compared),
        "file": _as_json(read),
    }
    token = seal(SALT, system.pk, body, by=by)
    if len(token) > MAX_TOKEN:
        raise Refused({"file": "The file holds more text than fits: send it in parts."})
    return token


def confirm_crosswalk(
    system: System,
    token: str,
    *,
    leave_out: bool = False,
    by: Actor,
    today: dt.date,
) -> Crosswalk:
    """Let the numbers of a preview stand beside the controls, as `adopt` does.

    Raises TransitionNotAllowed when the token is too old, another person's, or shows
    what is not so any more.
    """
    require_officer(system, by)
    verb = f"adopt numbers for system {system.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return Crosswalk.objects.get(pk=json.loads(key.body))
        body = unseal(SALT, token, system.pk, by=by, again=AGAIN)
        title, starts_on = body["title"], dt.date.fromisoformat(body["starts_on"])
        read = _from_json(body["file"])
        locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
        compared = preview(locked, read)
        if _digest(locked, title, starts_on, compared) != body["shown"]:
            raise TransitionNotAllowed(f"Something changed since the preview. {AGAIN}")
        crosswalk = adopt(
            locked,
            read,
            title=title,
            starts_on=starts_on,
            leave_out=leave_out,
            by=by,
            today=today,
            followed=body["followed"],
        )
        key.answer_with(201, body=json.dumps(crosswalk.pk))
    return crosswalk


def version_followed(
    system: System, title: str, starts_on: dt.date
) -> Crosswalk | None:
    """The version of a title that one from this day on would end or replace."""
    return versions_followed(system, title, starts_on).first()


def _followed(system: System, title: str, starts_on: dt.date) -> list[int]:
    rows = versions_followed(system, title, starts_on)
    return list(rows.values_list("pk", flat=True))


def _digest(
    system: System, title: str, starts_on: dt.date, compared: CrosswalkPreview
) -> str:
    """What a person saw, as 64 characters: what comes, what goes, what is left out."""
    left = compared.left_by(version_followed(system, title, starts_on))
    shown = [
        [[row.implementation.pk, row.numbers] for row in rows]
        for rows in (compared.stated, left)
    ]
    rest = [list(compared.outside), [str(error) for error in compared.errors]]
    return hashlib.sha256(json.dumps([*shown, *rest]).encode()).hexdigest()


def _as_json(read: CrosswalkFile) -> dict[str, Any]:
    return {
        "name": read.name,
        "sha256": read.sha256,
        "rows": [[*_cells(row.place), row.control_id, row.number] for row in read.rows],
        "errors": [[*_cells(error.place), error.message] for error in read.errors],
    }


def _cells(place: Place) -> list[str | int]:
    return [place.sheet, place.line, place.column]


def _from_json(body: dict[str, Any]) -> CrosswalkFile:
    return CrosswalkFile(
        body["name"],
        body["sha256"],
        tuple(CrosswalkRow(Place(*row[:3]), *row[3:]) for row in body["rows"]),
        tuple(CrosswalkRowError(Place(*row[:3]), row[3]) for row in body["errors"]),
    )
