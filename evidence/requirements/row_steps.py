"""What every change of one asked row does: lock it, refuse a stale one, ask a second
officer. Source: rules R31 and R32."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from controls.access import require_officer
from controls.errors import StaleVersion
from controls.models import Actor, RetrospectiveChange, System
from controls.retrospect import request_change
from evidence.models import RequirementControl

STALE = "Somebody changed this requirement since you opened it. Look again."


def locked_row(requirement: RequirementControl, by: Actor) -> RequirementControl:
    """The row, locked after its system, as an approval locks them. Officers only."""
    System.objects.select_for_update(of=("self",)).get(pk=requirement.system_id)
    stored = (
        RequirementControl.objects.select_for_update(of=("self",))
        .select_related(
            "system", "implementation__system", "implementation__control", "ask"
        )
        .get(pk=requirement.pk)
    )
    require_officer(stored.system, by)
    return stored


def refuse_stale(stored: RequirementControl, version: int | None) -> None:
    """Raise StaleVersion where a row has another version than the one looked at."""
    if version is not None and version != stored.version:
        raise StaleVersion(STALE)


def request_for_row(
    stored: RequirementControl,
    kind: str,
    *,
    first_day: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
    more: Mapping[str, Any] | None = None,
) -> RetrospectiveChange:
    """Ask a second officer for a change of a locked row; `more` is what it says beside
    which row it is of. Raises as `request_change` does."""
    body: dict[str, Any] = {
        "requirement": str(stored.uuid),
        "control": stored.implementation.control.label,
        "title": stored.title,
        "version": stored.version,
    }
    return request_change(
        stored.system,
        kind=kind,
        body=body | dict(more or {}),
        first_day=first_day,
        reason=reason,
        by=by,
        today=today,
    )
