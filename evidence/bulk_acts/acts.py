"""The acts by the name that stands in their address."""

from __future__ import annotations

from collections.abc import Mapping

from evidence.bulk_acts.act import Act
from evidence.bulk_acts.ask_teams import AskTeams
from evidence.bulk_acts.cadences import Cadences
from evidence.bulk_acts.citations import Citations
from evidence.bulk_acts.exclusions import Exclusions
from evidence.bulk_acts.owners import Owners
from evidence.bulk_acts.reconfirmations import Reconfirmations
from evidence.bulk_acts.requests import RequestsForEvidence
from evidence.bulk_acts.statuses import Statuses

ALL: tuple[Act, ...] = (
    Owners(),
    Statuses(),
    Cadences(),
    AskTeams(),
    RequestsForEvidence(),
    Exclusions(),
    Citations(),
    Reconfirmations(),
)
ACTS: Mapping[str, Act] = {act.name: act for act in ALL}
# Of the controls of a list; the others are chosen where their own rows are listed.
OF_CONTROLS = ("owner", "status", "cadence", "request", "not-applicable")
