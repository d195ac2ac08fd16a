"""The owner of many controls, in one act: what would become of each, then naming it.

Doors show the proposals before anything is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db.models import F

from controls.access import require_officer
from controls.models import Actor, AuditEvent, ControlImplementation, System, Team
from controls.models.audit import Event, about

OwnerOutcome = Literal["change", "same"]


@dataclass(frozen=True)
class OwnerProposal:
    """What would become of one control; `before` is the team it belongs to now."""

    control: ControlImplementation
    outcome: OwnerOutcome
    before: Team | None


def propose_owner(
    system: System,
    keys: Collection[int],
    team: Team | None,
    *,
    by: Actor,
    lock: bool = False,
) -> list[OwnerProposal]:
    """What naming `team` (None: nobody) would change, in the catalog's order.

    `keys` are controls of the system; those of others are left out. Raises
    NotPermitted for all but officers of the system, as `controls.implementation` does.
    """
    require_officer(system, by)
    rows = system.implementations.filter(pk__in=keys)
    if lock:
        list(rows.order_by("pk").select_for_update(of=("self",)))
    named = team.pk if team else None
    return [
        OwnerProposal(
            control,
            "same" if control.owner_team_id == named else "change",
            control.owner_team,
        )
        for control in rows.for_listing()
    ]


def give_to(
    proposals: Sequence[OwnerProposal], team: Team | None, *, by: Actor
) -> None:
    """Name the owner of those that would change, locked before, and record it last."""
    changing = _changing(proposals)
    ControlImplementation.objects.filter(
        pk__in=[row.control.pk for row in changing]
    ).update(owner_team=team, version=F("version") + 1)
    AuditEvent.objects.append_all(_events(changing, team, by))


def _changing(proposals: Iterable[OwnerProposal]) -> list[OwnerProposal]:
    return [row for row in proposals if row.outcome == "change"]


def _events(
    proposals: Iterable[OwnerProposal], team: Team | None, by: Actor
) -> list[Event]:
    return [
        about(
            row.control,
            "implementation.described",
            by=by,
            before={"owner_team": str(row.before or "")},
            after={"owner_team": str(team or "")},
            in_bulk=True,
        )
        for row in proposals
    ]
