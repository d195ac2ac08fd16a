"""Naming the owner of many controls in one act: seen first, then all of it or nothing.

Source: every door shows the preview before anything is written; its token counts once,
for who asked, for an hour, and only while nothing it showed has changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import F

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor, AuditEvent, ControlImplementation, System, Team
from controls.models.audit import Event, about
from controls.sealed_previews import seal, unseal

SALT = "controls.owner"
AGAIN = "Choose the controls again."

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


def sealed_owner(
    system: System,
    proposals: Sequence[OwnerProposal],
    team: Team | None,
    *,
    by: Actor,
) -> str:
    """What was shown as a signed text that who asked may confirm within an hour.

    Raises Refused where nothing would change.
    """
    if not _changing(proposals):
        raise Refused("Nothing of this would change anything.")
    body = {"team": team.pk if team else None, "shown": _shown(proposals)}
    return seal(SALT, system.pk, body, by=by)


def confirm_owner(system: System, token: str, *, by: Actor) -> int:
    """Name the owner that the preview of this token showed; of how many controls.

    Confirmed again it is the same answer. Raises TransitionNotAllowed when the token
    is too old, another person's, or shows what is not so any more.
    """
    verb = f"name the owner of controls of system {system.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return int(json.loads(key.body))
        body = unseal(SALT, token, system.pk, by=by, again=AGAIN)
        team = _team(body["team"])
        keys = [shown[0] for shown in body["shown"]]
        proposals = propose_owner(system, keys, team, by=by, lock=True)
        if _shown(proposals) != body["shown"]:
            raise TransitionNotAllowed("Something changed since. Look at it again.")
        changing = _changing(proposals)
        key.answer_with(200, body=json.dumps(len(changing)))
        give_to(proposals, team, by=by)
    return len(changing)


def give_to(
    proposals: Sequence[OwnerProposal], team: Team | None, *, by: Actor
) -> None:
    """Name the owner of those that would change, locked before, and record it last."""
    changing = _changing(proposals)
    ControlImplementation.objects.filter(
        pk__in=[row.control.pk for row in changing]
    ).update(owner_team=team, version=F("version") + 1)
    AuditEvent.objects.append_all(_events(changing, team, by))


def _team(key: int | None) -> Team | None:
    """The team of a preview. Raises TransitionNotAllowed where it is gone."""
    if key is None:
        return None
    team = Team.objects.filter(pk=key).first()
    if team is None:
        raise TransitionNotAllowed("This team is no longer there. Choose another.")
    return team


def _changing(proposals: Iterable[OwnerProposal]) -> list[OwnerProposal]:
    return [row for row in proposals if row.outcome == "change"]


def _shown(proposals: Iterable[OwnerProposal]) -> list[list[Any]]:
    """What a person saw of each control, as JSON gives it back."""
    return [
        [row.control.pk, row.outcome, row.before.pk if row.before else None]
        for row in proposals
    ]


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
