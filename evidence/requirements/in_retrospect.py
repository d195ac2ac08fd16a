"""Changes of asks that two officers decide: carried out, and told in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from controls.errors import TransitionNotAllowed
from controls.models import Actor, RetrospectiveChange, Team
from controls.retrospect import applies
from evidence.models import RequirementControl
from evidence.models.asks import Cadence, PopulationCadence, Purpose
from evidence.requirements.changes import (
    IN_RETROSPECT,
    LONG_GRACE,
    TermsChange,
    carry_out_terms,
    companions_of,
    labels_by_row,
)
from evidence.requirements.retiring import RETIRE, RETIRE_LAST, carry_out_end
from evidence.requirements.row_steps import locked_row

LABELS = {
    "title": "Title",
    "guidance": "What to do",
    "good_proof": "What a good proof shows",
    "cadence": "How often",
    "population_cadence": "Populations are drawn",
    "purpose": "It shows",
    "grace_days": "Days of grace",
    "lead_days": "Remind so many days before",
    "operates_from": "Asked from",
    "rarer_because": "Why less often than the baseline",
    "what_it_shows": "What in it proves this control",
}
CHOICES: dict[str, dict[str, str]] = {
    "cadence": {str(value): str(label) for value, label in Cadence.choices},
    "population_cadence": {
        str(value): str(label) for value, label in PopulationCadence.choices
    },
    "purpose": {str(value): str(label) for value, label in Purpose.choices},
}


def _explain(change: RetrospectiveChange) -> Iterable[tuple[str, str]]:
    """Which ask, from when, and what it is to say; texts that stay empty are left."""
    body = change.body
    yield "Control", body["control"]
    yield "What is asked", body["title"]
    if "from_day" not in body:
        yield "No longer asked from", str(change.first_day)
        return
    if body["terms"]:
        yield "The new terms hold from", body["from_day"]
    if companions := body.get("companions"):
        yield "Under the same ask, and changed as well", ", ".join(companions.values())
    stated = body["terms"] | body["row"]
    for name, label in LABELS.items():
        if name == "population_cadence" and stated["cadence"] != Cadence.PER_EVENT:
            continue
        if stated.get(name) not in (None, ""):
            text = str(stated[name])
            yield label, CHOICES.get(name, {}).get(text, text)
    if stated.get("owner_team_id"):
        yield "Team", str(Team.objects.get(pk=stated["owner_team_id"]))


@applies(IN_RETROSPECT, name="Terms of what is asked", explain=_explain)
def _change_terms(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    stored, body = _row_of(change, by)
    row = dict(body["row"])
    if "operates_from" in row:
        row["operates_from"] = dt.date.fromisoformat(row["operates_from"])
    proposed = TermsChange(
        dt.date.fromisoformat(body["from_day"]), dict(body["terms"]), row
    )
    _refuse_other_companions(stored, proposed, body)
    carry_out_terms(stored, proposed, by=by, today=today, change=change)


def _refuse_other_companions(
    stored: RequirementControl, proposed: TermsChange, body: dict[str, Any]
) -> None:
    """Two officers agree on the controls that they saw: one that was put under the ask
    since the request would get these terms by one officer alone (R32)."""
    if not proposed.terms or "companions" not in body:  # asked before they were kept
        return
    rows = companions_of(stored, proposed.from_day, locked=True)
    if labels_by_row(rows).keys() != body["companions"].keys():
        raise TransitionNotAllowed(
            "Other controls stand under this ask than when this was requested. Ask"
            " for it again."
        )


@applies(LONG_GRACE, name="When the next performance is due", explain=_explain)
def _lengthen_grace(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    _change_terms(change, by=by, today=today)


@applies(RETIRE, name="End of what is asked", explain=_explain)
def _retire(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    stored, _ = _row_of(change, by)
    carry_out_end(
        stored, until=change.first_day, reason=change.reason, by=by, change=change
    )


@applies(RETIRE_LAST, name="End of what nothing else asks as often", explain=_explain)
def _retire_last(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    _retire(change, by=by, today=today)


def _row_of(
    change: RetrospectiveChange, by: Actor
) -> tuple[RequirementControl, dict[str, Any]]:
    """The row as it was when the change was asked for; refuses one changed since."""
    body: dict[str, Any] = change.body
    row = RequirementControl.objects.get(uuid=body["requirement"])
    stored = locked_row(row, by)
    if stored.version != body["version"]:
        raise TransitionNotAllowed(
            "What is asked was changed since this was requested. Ask for it again."
        )
    return stored, body
