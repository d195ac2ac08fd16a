"""The next audit window: what goes on, what is to confirm; evidence never moves."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q

from controls.access import require_officer
from controls.approvals import known_today, refuse_stale
from controls.audit_window import CHANGED as WINDOW_CHANGED
from controls.audit_window import takes_days_out
from controls.errors import Refused, TransitionNotAllowed
from controls.grammar import count_of
from controls.models import (
    Actor,
    ApplicabilityDecision,
    AuditEvent,
    ResponsibilityOverride,
    System,
)
from controls.models.audit import about
from controls.models.requests import ApprovalState, ExclusionState
from evidence.artifacts.citations import OF_PROVIDERS
from evidence.models import Artifact, ArtifactVersion, RequirementControl
from evidence.models.artifacts import ArtifactVersionState
from evidence.status.control_status import refuse_window

DAY = dt.timedelta(days=1)
RUNS_ON = (
    "The present window runs to {}: days of it that are over do not fall out. Begin the"
    " next one after it; on another first day of this one a second officer decides."
)
BETWEEN = (
    "{} between the windows would belong to neither. Begin on {}, or change the days of"
    " the present window: there a second officer decides on what is left out."
)
CHANGED = "Something changed since you looked. Look again before you go on."


@dataclass(frozen=True)
class SeriesCited:
    """A cited series, its newest report, and the last day that report speaks of."""

    artifact: Artifact
    controls: int
    newest: ArtifactVersion | None
    speaks: bool

    @property
    def word(self) -> str:
        """What to confirm, in words."""
        if self.newest is None:
            return "No report is registered."
        if self.speaks:
            return "Its newest report speaks of days of this window."
        return f"Its newest report ends before this window: {self.newest.last_day}."


@dataclass(frozen=True)
class RollForwardPreview:
    """What the next window would start with. Days are inclusive."""

    start: dt.date
    end: dt.date
    gap: int
    overlap: int
    carried: tuple[RequirementControl, ...]
    ended: tuple[RequirementControl, ...]
    ownerless: tuple[RequirementControl, ...]
    citations: tuple[SeriesCited, ...]
    overrides: tuple[ResponsibilityOverride, ...]
    exclusions: tuple[ApplicabilityDecision, ...]

    @property
    def digest(self) -> str:
        """sha256 in hex over everything a person saw."""
        rows = [
            *(f"r {r.pk} {r.version}" for r in (*self.carried, *self.ended)),
            *(f"o {r.pk}" for r in self.ownerless),
            *(f"c {c.artifact.pk} {c.controls} {c.word}" for c in self.citations),
            *(f"v {o.pk} {o.version}" for o in self.overrides),
            *(f"n {n.pk} {n.version}" for n in self.exclusions),
        ]
        text = "\n".join([str(self.start), str(self.end), *rows])
        return hashlib.sha256(text.encode()).hexdigest()


def following(system: System) -> tuple[dt.date, dt.date]:
    """The window after the system's own, as long; whole years stay whole years."""
    start = system.window_end + DAY
    days = (system.window_end - system.window_start).days
    try:
        after = start.replace(year=start.year + 1) - DAY
    except ValueError:  # 29 February
        after = start + DAY * 365 - DAY
    return start, after if days in {364, 365} else start + DAY * days


def preview(system: System, start: dt.date, end: dt.date) -> RollForwardPreview:
    """What a window would start with. Writes nothing. Raises Refused for its days."""
    refuse_window(start, end)
    if start <= system.window_start:
        raise Refused({"window_to": "The next window starts after this one started."})
    if end <= system.window_end:
        raise Refused({"window_to": "The next window ends after this one ends."})
    requirements = RequirementControl.objects.for_listing().filter(system=system)
    rows = list(requirements.order_by("implementation__control__sort_order", "pk"))
    carried = [r for r in rows if r.operates_until is None or r.operates_until > start]
    between = (start - system.window_end).days - 1
    return RollForwardPreview(
        start,
        end,
        gap=max(0, between),
        overlap=max(0, -between),
        carried=tuple(carried),
        ended=tuple(row for row in rows if row not in carried),
        ownerless=tuple(r for r in carried if not _owner(r)),
        citations=tuple(_citations(system, start)),
        overrides=tuple(_overrides(system, start, end)),
        exclusions=tuple(_exclusions(system, end)),
    )


def _owner(row: RequirementControl) -> Any:
    return row.owner_team or row.implementation.owner_team


def _citations(system: System, start: dt.date) -> list[SeriesCited]:
    series = Artifact.objects.filter(citations__system=system).distinct()
    citations = []
    of_provider = Q(
        citations__system=system,
        citations__control__implementations__system=system,
        citations__control__implementations__responsibility__in=OF_PROVIDERS,
    )
    counted = series.annotate(mine=Count("citations", filter=of_provider))
    for artifact in counted.prefetch_related("versions").order_by("title"):
        active = [
            v for v in artifact.versions.all() if v.state == ArtifactVersionState.ACTIVE
        ]
        newest = max(active, key=lambda v: v.until or dt.date.max, default=None)
        speaks = newest is not None and (newest.until is None or newest.until > start)
        citations.append(SeriesCited(artifact, artifact.mine, newest, speaks))
    return citations


def _overrides(
    system: System, start: dt.date, end: dt.date
) -> list[ResponsibilityOverride]:
    """Overrides in force that end before the window does."""
    rows = ResponsibilityOverride.objects.filter(
        Q(settled_on=None) | Q(settled_on__gt=start),
        state=ApprovalState.APPROVED,
        implementation__system=system,
        ends_on__lt=end,
    )
    return list(rows.for_listing().order_by("ends_on", "pk"))


def _exclusions(system: System, end: dt.date) -> list[ApplicabilityDecision]:
    """Controls left out that somebody has to look at again by the window's end."""
    rows = ApplicabilityDecision.objects.filter(
        state=ExclusionState.APPROVED, implementation__system=system, review_by__lte=end
    )
    return list(rows.for_listing().order_by("review_by", "pk"))


@transaction.atomic
def roll_forward(
    system: System,
    start: dt.date,
    end: dt.date,
    *,
    seen: str,
    confirmed: frozenset[str],
    by: Actor,
    version: int | None = None,
) -> None:
    """Give a system its next audit window; `confirmed` are uuids of cited series.

    Requirements, owners and citations go on as they are. The earlier window stays
    answerable by its days. Raises NotPermitted, Refused, StaleVersion, and
    TransitionNotAllowed when what was seen (`Preview.digest`) is no longer so.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    refuse_stale(locked, version)
    plan = preview(locked, start, end)
    if plan.digest != seen:
        raise TransitionNotAllowed(CHANGED)
    today = known_today(locked)
    runs_on = plan.overlap and today <= locked.window_end
    if runs_on and takes_days_out(locked, start, end, today):
        raise Refused({"window_from": RUNS_ON.format(locked.window_end)})
    if plan.gap and takes_days_out(locked, start, end, today):
        days = BETWEEN.format(count_of(plan.gap, "day"), locked.window_end + DAY)
        raise Refused({"window_from": days})
    open_ones = [c for c in plan.citations if str(c.artifact.uuid) not in confirmed]
    if open_ones:
        named = ", ".join(str(citation.artifact) for citation in open_ones)
        raise Refused(
            {"confirmed": f"Confirm each citation, or end it first: {named}."}
        )
    before = [str(locked.window_start), str(locked.window_end)]
    locked.window_start, locked.window_end = start, end
    locked.version = F("version") + 1
    locked.save(update_fields=["window_start", "window_end", "version"])
    body = {
        "before": before,
        "after": [str(start), str(end)],
        "requirements": len(plan.carried),
        "confirmed": sorted(confirmed),
    }
    AuditEvent.objects.append(about(locked, "system.rolled-forward", by=by, **body))
    system.refresh_from_db()


def earlier_windows(system: System) -> list[tuple[dt.date, dt.date]]:
    """Windows the system had before this one, newest first, from the audit log."""
    events = AuditEvent.objects.filter(
        chain=str(system.uuid), verb__in=["system.rolled-forward", WINDOW_CHANGED]
    ).order_by("-seq")
    return [
        (dt.date.fromisoformat(window[0]), dt.date.fromisoformat(window[1]))
        for event in events
        if (window := json.loads(event.body)["before"])
    ]
