"""What every decision of a second person refuses."""

from __future__ import annotations

from typing import Any

from controls.access import require_second_officer
from controls.errors import StaleVersion, TransitionNotAllowed
from controls.models import Actor
from controls.models.requests import ApprovalState


def refuse_decided(stored: Any, version: int | None, *, by: Actor) -> None:
    """What stands against `by` deciding a locked request that needs a second officer.

    Raises NotPermitted, TransitionNotAllowed (naming who was first), StaleVersion.
    """
    require_second_officer(stored, stored.implementation.system, by)
    if stored.state != ApprovalState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")
    refuse_stale(stored, version)


def refuse_stale(stored: Any, version: int | None) -> None:
    """Raise StaleVersion when the locked row is not the version that was seen."""
    if version is not None and version != stored.version:
        raise StaleVersion("This changed since you opened it. Look again.")
