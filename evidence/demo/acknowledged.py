"""Which teams of the demo company have read their duties."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from controls.models import System
from evidence.demo.clock import DAY, written_on
from evidence.demo.people import People, Teams
from evidence.systems.acknowledgements import acknowledge, duties_today

SPEAKERS = {"platform": "paul"}  # security has not read its duties yet


def acknowledge_duties(
    systems: Iterable[System], people: People, teams: Teams, today: dt.date
) -> None:
    """Paul read the duties of team Platform last week, in each of the systems."""
    for system in systems:
        for of_team in duties_today(system):
            if local := SPEAKERS.get(of_team.team.slug):
                with written_on(today - 7 * DAY, 15):
                    team = teams[of_team.team.slug]
                    acknowledge(system, team, of_team.digest, by=people[local])
