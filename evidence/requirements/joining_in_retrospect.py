"""Joins and splits that two officers decide: carried out, and told in plain words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from controls.errors import TransitionNotAllowed
from controls.models import Actor, RetrospectiveChange
from controls.retrospect import applies
from evidence.models import EvidenceRequirement
from evidence.models.asks import Cadence
from evidence.requirements.join_checks import NamedControl, misfits
from evidence.requirements.joined import rows_under
from evidence.requirements.joining import (
    JOIN,
    SPLIT,
    carry_out_join,
    carry_out_split,
    locked_rows,
    locked_system,
    with_lines,
)


def _explain(change: RetrospectiveChange) -> Iterable[tuple[str, str]]:
    """Which controls, under what, from when."""
    body = change.body
    yield "What is asked", body["title"]
    yield "Controls", body["controls"]
    if "terms" in body:
        yield "How often", Cadence(body["terms"]["cadence"]).label
        for row in body["rows"]:
            yield f"What in it proves {row['control']}", row["what_it_shows"]
    yield "From", body["from_day"]


@applies(JOIN, name="Controls joined under one ask", explain=_explain)
def _join_in_retrospect(
    change: RetrospectiveChange, *, by: Actor, today: dt.date
) -> None:
    body = change.body
    lines = [
        NamedControl(
            uuid.UUID(row["requirement"]), row["what_it_shows"], row["version"]
        )
        for row in body["rows"]
    ]
    from_day = dt.date.fromisoformat(body["from_day"])
    rows = locked_rows(change.system, lines, by)
    if reasons := misfits(rows, body["terms"], from_day):
        raise TransitionNotAllowed(" ".join(reasons))
    carry_out_join(
        change.system,
        body["terms"],
        with_lines(rows, lines),
        from_day=from_day,
        by=by,
        today=today,
        change=change,
    )


@applies(SPLIT, name="Controls taken out of an ask", explain=_explain)
def _split_in_retrospect(
    change: RetrospectiveChange, *, by: Actor, today: dt.date
) -> None:
    body = change.body
    ask = EvidenceRequirement.objects.get(uuid=body["ask"])
    from_day = dt.date.fromisoformat(body["from_day"])
    system = locked_system(change.system_id, by)
    versions = body["rows"]
    rows = [
        row
        for row in rows_under(ask, from_day, locked=True)
        if versions.get(str(row.uuid)) == row.version
    ]
    if len(rows) < len(versions):
        raise TransitionNotAllowed(
            "What is asked was changed since this was requested. Ask for it again."
        )
    carry_out_split(
        system, ask, rows, from_day=from_day, by=by, today=today, change=change
    )
