"""A company in which nothing is asked yet, and what its people are told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from controls import clock
from evidence.models import (
    Notice,
    RequirementControl,
)
from evidence.notices.gathering import gather_notices
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House

DAY = dt.timedelta(days=1)
NEVER = TODAY + 800 * DAY  # what else is asked begins long after these stories


def build(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.ESCALATE_AFTER_DAYS = 14
    house = houses.build()
    RequirementControl.objects.all().update(operates_from=NEVER)
    return house


def told(
    house: House, name: str, kind: str | None = None, *, days: int = 0
) -> list[str]:
    """What a person is told some days from now."""
    gather_notices(clock.now() + DAY * days)
    mine = Notice.objects.visible_to(house.people[name]).filter(ended_at=None)
    return [each.sentence for each in mine if kind in {None, each.kind}]


def asked_since(house: House, days: int) -> RequirementControl:
    """A monthly requirement whose first period began some days ago."""
    requirement = house.requirement()
    RequirementControl.objects.filter(pk=requirement.pk).update(
        operates_from=TODAY - dt.timedelta(days=days)
    )
    requirement.refresh_from_db()
    return requirement
