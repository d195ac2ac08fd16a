"""Asking to see evidence of many controls: one request for each team asked."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from controls.models import Actor, ControlImplementation, Role, System, Team
from evidence.bulk_acts.act import MAX_ROWS, ActRow, Outcome, Values
from evidence.requests.requests import MAX_CONTROLS, RequestDraft, request_evidence
from evidence.requests.who_may import require_requester

NOTHING, ASKED = "Not asked", "Asked"


class RequestsForEvidence:
    """Values: `title`, `what`; `team`, the key of one, None for each control's owner;
    `due_on`, a day as text."""

    name = "request"
    max_rows = MAX_ROWS
    at_once = MAX_ROWS

    def require_right(self, system: System, *, by: Actor) -> None:
        """Officers, and auditors that are let in."""
        require_requester(system, by)

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
        """Each control with the team that would be asked."""
        self.require_right(system, by=by)
        chosen = system.implementations.filter(pk__in=keys)
        if lock:
            list(chosen.order_by("pk").select_for_update(of=("self",)))
        named = Counter[int]()
        uploading = _uploading_teams(system)
        rows = []
        for control in chosen.for_listing():
            team = _team_of(control, values, uploading)
            refusal = _refusal(team, uploading)
            if not refusal and team is not None:
                named[team.pk] += 1
                if named[team.pk] > MAX_CONTROLS:
                    refusal = f"One request names at most {MAX_CONTROLS:,} controls."
            outcome: Outcome = "refused" if refusal else "change"
            rows.append(
                ActRow(
                    key=control.pk,
                    control=control.control,
                    outcome=outcome,
                    before=NOTHING,
                    after=NOTHING if refusal else ASKED,
                    follows=refusal or f"{team} is asked by {values['due_on']}.",
                )
            )
        return rows

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """Make one request for each team, with an event for each."""
        uploading = _uploading_teams(system)
        by_team: defaultdict[Team, list[str]] = defaultdict(list)
        for control in system.implementations.filter(pk__in=keys).for_listing():
            team = _team_of(control, values, uploading)
            if team is not None:
                by_team[team].append(control.control.ref_id)
        for team in sorted(by_team, key=lambda one: one.pk):
            draft = RequestDraft(
                title=values["title"],
                control_ids=by_team[team],
                team=team,
                due_on=dt.date.fromisoformat(values["due_on"]),
                what=values["what"],
            )
            request_evidence(system, draft, by=by)


def _uploading_teams(system: System) -> dict[int, Team]:
    """Teams for which somebody uploads now, by key."""
    roles = system.memberships.active().filter(role=Role.CONTRIBUTOR)
    return Team.objects.in_bulk(roles.values_list("team_id", flat=True))


def _team_of(
    control: ControlImplementation, values: Values, uploading: Mapping[int, Team]
) -> Team | None:
    return uploading.get(values["team"]) if values["team"] else control.owner_team


def _refusal(team: Team | None, uploading: Mapping[int, Team]) -> str:
    if team is None:
        return "Nobody owns it: assign an owner, or choose the team to ask."
    if team.pk not in uploading:
        return f"Nobody uploads for {team}: bring somebody, or choose another team."
    return ""
