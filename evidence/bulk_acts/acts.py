"""The acts by the name that stands in their address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from controls.errors import NotPermitted
from controls.models import Actor, System
from evidence.bulk_acts.act import Act
from evidence.bulk_acts.cadences import Cadences
from evidence.bulk_acts.citations import Citations
from evidence.bulk_acts.exclusions import Exclusions
from evidence.bulk_acts.owners import Owners
from evidence.bulk_acts.requests import Requests
from evidence.bulk_acts.statuses import Statuses

ALL: tuple[Act, ...] = (
    Owners(),
    Statuses(),
    Cadences(),
    Requests(),
    Exclusions(),
    Citations(),
)
ACTS: Mapping[str, Act] = {act.name: act for act in ALL}
# Of the controls of a list; citations are chosen in the list of citations.
OF_CONTROLS = ("owner", "status", "cadence", "request", "not-applicable")


def allowed(names: Iterable[str], system: System, by: Actor) -> list[str]:
    """Those of the acts that a person may do of some row of the system."""
    names_allowed = []
    for name in names:
        try:
            ACTS[name].require_right(system, by=by)
        except NotPermitted:
            continue
        names_allowed.append(name)
    return names_allowed
