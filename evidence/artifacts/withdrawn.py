"""Reports that their auditors withdrew, and that still expect something of us.

One registrar records the withdrawal, and every day that the report covered is open at
once. What it expects of us is let go in a system only when a second person says there
that it is not relied on (R26, R32).
"""

from __future__ import annotations

from collections.abc import Iterable

from controls.models import System
from evidence.models import (
    ArtifactVersion,
    RelianceConclusion,
    RelianceReview,
    RemarkKind,
    RequirementControl,
)
from evidence.models.artifacts import ArtifactVersionState


def withdrawn_and_expecting(
    systems: Iterable[System] | None = None,
) -> list[tuple[ArtifactVersion, int]]:
    """Reports that were withdrawn, each with the key of a system that relied on it or
    asks for what it expects, until a review there ends that. None: of all systems.

    Three statements at most; one where no report was withdrawn.
    """
    reports = {
        report.pk: report
        for report in ArtifactVersion.objects.filter(
            state=ArtifactVersionState.WITHDRAWN,
            remarks__kind=RemarkKind.USER_CONTROL,
        )
        .distinct()
        .select_related("artifact", "registered_by", "ended_by")
        .order_by("known_from")
    }
    if not reports:
        return []
    keys = None if systems is None else {system.pk for system in systems}
    reviews = RelianceReview.objects.filter(artifact_version__in=reports).order_by("pk")
    newest = {
        (report, system): conclusion
        for report, system, conclusion in reviews.values_list(
            "artifact_version_id", "system_id", "conclusion"
        )
    }
    asks = RequirementControl.objects.filter(user_control__artifact_version__in=reports)
    expecting = asks.values_list("user_control__artifact_version_id", "system_id")
    return [
        (reports[report], system)
        for report, system in sorted({*newest, *expecting.order_by().distinct()})
        if newest.get((report, system)) != RelianceConclusion.DO_NOT_RELY
        and (keys is None or system in keys)
    ]
