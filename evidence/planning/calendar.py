"""What falls due in some days: proof, reports, overrides, exclusions, requests.

A constant number of statements, whatever the number of systems and days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import reverse

from controls.errors import Refused
from controls.models import (
    Actor,
    ApplicabilityDecision,
    ResponsibilityOverride,
    Role,
)
from controls.models.requests import ApprovalState as ApprovalState
from controls.models.requests import ExclusionState
from evidence.artifacts.letters import accepted_last_days
from evidence.models import (
    ArtifactVersion,
    ContinuityLetter,
    EvidenceRequest,
)
from evidence.models.artifacts import ArtifactVersionState, AssuranceKind
from evidence.planning.due import CalendarScope, Due
from evidence.planning.proof_due import proof_due
from evidence.status.cadence import DAY, add_months
from evidence.status.reports import ASSESSMENT_MONTHS

__all__ = ["CalendarScope", "Due", "falling_due", "own_teams", "refuse_long"]

MAX_CALENDAR_DAYS = 366  # days


def refuse_long(first: dt.date, last: dt.date) -> None:
    """Raise Refused for days in the wrong order, or more than a year of them."""
    if last < first:
        raise Refused({"to": "The last day is before the first."})
    if (last - first).days >= MAX_CALENDAR_DAYS:
        raise Refused(
            {"to": f"A calendar shows at most {MAX_CALENDAR_DAYS} days at a time."}
        )


def own_teams(user: Actor) -> frozenset[int] | None:
    """The teams a person contributes for; None for people with any other role."""
    roles = list(user.memberships.active().values_list("role", "team"))
    if user.is_superuser or any(role != Role.CONTRIBUTOR for role, _ in roles):
        return None
    return frozenset(team for _, team in roles if team)


def falling_due(scope: CalendarScope, *, user: Actor, now: dt.datetime) -> list[Due]:
    """Everything a person may see that falls due, by day and control.

    What is overdue is so on the day that `now` is in its system.
    """
    sources: list[Iterable[Due]]
    sources = [proof_due(scope, user, now), _requests(scope, user, now)]
    if scope.teams is None:
        of_systems = (_reports, _overrides, _exclusions, _windows)
        sources += [source(scope) for source in of_systems]
    rows = [due for source in sources for due in source]
    return sorted(rows, key=lambda due: (due.day, due.kind, due.control))


def _requests(scope: CalendarScope, user: Actor, now: dt.datetime) -> Iterator[Due]:
    rows = EvidenceRequest.objects.visible_to(user).matching(state="unsettled")
    rows = rows.filter(
        system__in=scope.systems, due_on__range=(scope.first, scope.last)
    )
    if scope.teams is not None:
        rows = rows.filter(team__in=scope.teams)
    for row in rows.for_table():
        late = row.overdue_on(row.system.day_of(now))
        yield Due(
            day=row.due_on,
            kind="Request",
            title=row.title,
            system=row.system,
            path=reverse("evidence:request", args=[row.uuid]),
            state="missed" if late else row.mark,
            word="Overdue" if late else row.get_state_display(),
            team=str(row.team),
            control=_controls_of(row),
        )


def _controls_of(row: Any) -> str:
    """The first controls of a request by label, and how many more there are."""
    labels = ", ".join(one.control.label for one in row.first_controls)
    return f"{labels} and {row.more_controls} more" if row.more_controls else labels


def _reports(scope: CalendarScope) -> Iterator[Due]:
    """The ends of reports and accepted letters, once per system they serve."""
    rows = ArtifactVersion.objects.filter(
        state=ArtifactVersionState.ACTIVE,
        artifact__citations__system__in=scope.systems,
    )
    served = rows.select_related("artifact")
    pairs = {
        (pk, system)
        for pk, system in rows.values_list("pk", "artifact__citations__system")
    }
    letters = ContinuityLetter.objects.filter(artifact_version__in=rows)
    letter_ends = accepted_last_days(letters, scope.systems)
    for row in served.distinct():
        for system in scope.systems:
            if (row.pk, system.pk) not in pairs:
                continue
            ends = {row.last_day: "ends"}
            ends |= dict.fromkeys(letter_ends[row.pk, system.pk], "letter ends")
            current = row.last_day and row.last_day + DAY * system.currency_days
            if row.artifact.kind == AssuranceKind.ASSESSMENT:
                current = add_months(row.starts, ASSESSMENT_MONTHS) - DAY
            days = ends | {current: "counts as current to this day"}
            for day, word in days.items():
                if day is not None and scope.holds(day):
                    yield Due(
                        day=day,
                        kind="AWS report",
                        title=str(row),
                        system=system,
                        path=reverse("evidence:artifact", args=[row.artifact.uuid]),
                        state="expiring",
                        word=word.capitalize(),
                    )


def _overrides(scope: CalendarScope) -> Iterator[Due]:
    rows = ResponsibilityOverride.objects.filter(
        state=ApprovalState.APPROVED,
        settled_on=None,
        ends_on__range=(scope.first, scope.last),
    )
    yield from _of_controls(rows, scope, "ends_on", "Override", "Ends")


def _exclusions(scope: CalendarScope) -> Iterator[Due]:
    rows = ApplicabilityDecision.objects.filter(
        state=ExclusionState.APPROVED, review_by__range=(scope.first, scope.last)
    )
    yield from _of_controls(rows, scope, "review_by", "Not applicable", "Look again")


def _of_controls(
    rows: Any, scope: CalendarScope, field: str, kind: str, word: str
) -> Iterator[Due]:
    mine = rows.filter(implementation__system__in=scope.systems)
    for row in mine.select_related("implementation__system", "implementation__control"):
        system, control = row.implementation.system, row.implementation.control
        yield Due(
            day=getattr(row, field),
            kind=kind,
            title=f"{control.label} {control.title}",
            system=system,
            path=reverse("evidence:control", args=[system.slug, control.ref_id]),
            state="expiring",
            word=word,
            control=control.label,
        )


def _windows(scope: CalendarScope) -> Iterator[Due]:
    for system in scope.systems:
        if scope.holds(system.window_end):
            yield Due(
                day=system.window_end,
                kind="Audit window",
                title=f"of {system.name}, from {system.window_start}",
                system=system,
                path=reverse("evidence:window", args=[system.slug]),
                state="expiring",
                word="Ends",
            )
