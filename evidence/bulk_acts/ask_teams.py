"""Which team is asked, of many asks: their work goes on with others from today."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from controls.errors import TransitionNotAllowed
from controls.models import System, Team
from evidence.bulk_acts.act import Values
from evidence.bulk_acts.change_of_asks import ChangeOfAsks
from evidence.models import RequirementControl
from evidence.requirements.changes import NewTerms, Outlook


def asks_of_team(system: System, team: Team, today: dt.date) -> list[int]:
    """The keys of what a team is asked today, as its own or of controls it owns."""
    rows = RequirementControl.objects.asked_of_team(team, today).filter(system=system)
    return list(rows.values_list("pk", flat=True))


class AskTeams(ChangeOfAsks):
    """Keys are of what is asked. Values: `owner_team`, the key of a team, or None for
    the owner of each control."""

    name = "team"

    def before(self, row: RequirementControl) -> str:
        """The team asked now."""
        return str(row.owner_team or row.implementation.owner_team or "nobody")

    def after(self, values: Values) -> str:
        """The team asked from today."""
        return str(_team(values) or "the owner of the control")

    def follows(self, outlook: Outlook, values: Values) -> str:
        """Who brings it from today on."""
        return f"Asked of {self.after(values)} from today; what was brought stays."

    def terms(self, row: RequirementControl, values: Values) -> NewTerms:
        """What the row says, asked of the team."""
        return replace(NewTerms.stated_by(row), owner_team=_team(values))


def _team(values: Values) -> Team | None:
    """The team of a form or a preview. Raises TransitionNotAllowed where it is gone."""
    if values["owner_team"] is None:
        return None
    team = Team.objects.filter(pk=values["owner_team"]).first()
    if team is None:
        raise TransitionNotAllowed("This team is no longer there. Choose another.")
    return team
