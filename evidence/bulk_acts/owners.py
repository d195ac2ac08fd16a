"""Whose many controls are: asks without a team of their own follow."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models.functions import Coalesce

from controls.access import require_officer
from controls.errors import TransitionNotAllowed
from controls.grammar import count_of
from controls.models import Actor, System, Team
from controls.owner_bulk import OwnerProposal, give_to, propose_owner
from evidence.bulk_acts.act import MAX_ROWS, ActRow, Values
from evidence.models import RequirementControl


class Owners:
    """Values: `owner_team`, the key of a team, or None for nobody."""

    name = "owner"
    max_rows = MAX_ROWS
    at_once = MAX_ROWS

    def require_right(self, system: System, *, by: Actor) -> None:
        """Officers of the system."""
        require_officer(system, by)

    def rows(
        self,
        system: System,
        keys: Collection[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
        lock: bool = False,
    ) -> list[ActRow]:
        """Each control with the team it has and the one it would have."""
        team = _team(values)
        proposals = propose_owner(system, keys, team, by=by, lock=lock)
        following = _asks_that_follow(system, keys, today)
        name = str(team or "nobody")
        return [
            ActRow(
                key=one.control.pk,
                control=one.control.control,
                outcome=one.outcome,
                before=str(one.before or "nobody"),
                after=name,
                follows=_what_follows(one, name, following[one.control.pk]),
            )
            for one in proposals
        ]

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """Name the owner of each, with an event for each."""
        team = _team(values)
        give_to(propose_owner(system, keys, team, by=by), team, by=by)


def _team(values: Values) -> Team | None:
    """The team of a form or a preview. Raises TransitionNotAllowed where it is gone."""
    key = values["owner_team"]
    if key is None:
        return None
    team = Team.objects.filter(pk=key).first()
    if team is None:
        raise TransitionNotAllowed("This team is no longer there. Choose another.")
    return team


def _asks_that_follow(
    system: System, keys: Collection[int], today: dt.date
) -> Counter[int]:
    """By control, how many asks go with its owner: those without a team of their own.

    What stands under one ask counts once for each control.
    """
    rows = RequirementControl.objects.in_operation(system, today).filter(
        implementation__in=keys, owner_team=None
    )
    named = rows.order_by().values_list(
        "implementation_id", Coalesce("joined_id", "ask_id")
    )
    return Counter(control for control, _ in set(named))


def _what_follows(proposal: OwnerProposal, name: str, asks: int) -> str:
    if proposal.outcome == "same":
        return f"{name.capitalize()} owns it already."
    if not asks:
        return "Nothing is asked of it that would move."
    return f"{count_of(asks, 'ask', 'moves')} to {name} from today."
