"""Files that are to go and wait for a second person: those who may decide."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from django.urls import reverse

from controls.models import InstallationRole, InstallationRoleName
from evidence.models import Citation, ReportFileRemoval, SpillRemoval
from evidence.models.notices import NoticeKind
from evidence.models.removals import RemovalState
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.people import People


def held_removals(people: People) -> Iterator[NoticeCandidate]:
    """Held files that are to go: keepers who did not ask. Three statements."""
    rows = list(
        ReportFileRemoval.objects.filter(state=RemovalState.REQUESTED)
        .for_listing()
        .select_related("requested_by")
    )
    if not rows:
        return
    series = {row.file.artifact_version.artifact_id for row in rows}
    citing: defaultdict[int, set[int]] = defaultdict(set)
    cited = Citation.objects.filter(artifact__in=series).order_by().distinct()
    for artifact, system in cited.values_list("artifact_id", "system_id"):
        citing[artifact] |= people.officers(system)
    role = InstallationRole.objects.active().filter(
        role=InstallationRoleName.REGISTRAR, user__is_active=True
    )
    registrars = set(role.values_list("user_id", flat=True))
    for row in rows:
        version = row.file.artifact_version
        keepers = registrars | citing[version.artifact_id]
        yield NoticeCandidate(
            NoticeKind.TO_APPROVE,
            f"to-approve:{row.uuid}",
            frozenset(keepers - {row.requested_by_id}),
            None,
            reverse("evidence:report_document", args=[version.uuid]),
            {
                "what": f"the removal of {row.file.name} from {version}",
                "who": str(row.requested_by),
            },
        )


def removals(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Spills to remove: the other officers. Held reports: the other keepers."""
    rows = SpillRemoval.objects.filter(state=RemovalState.REQUESTED).for_listing()
    for row in rows:
        yield NoticeCandidate(
            NoticeKind.TO_APPROVE,
            f"to-approve:{row.uuid}",
            frozenset(people.officers(row.system_id, but=row.requesters)),
            row.system_id,
            reverse("evidence:removal", args=[row.uuid]),
            {"what": f"the removal of {row.name}", "who": row.asked_by},
        )
    yield from held_removals(people)
