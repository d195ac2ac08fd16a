"""Files of held reports that leave in a package: by right, and recorded (R27)."""

from __future__ import annotations

from django.db import transaction

from controls.errors import TransitionNotAllowed
from controls.models import Actor
from evidence.held_reports.disclosures import record_disclosure
from evidence.held_reports.opening import require_open
from evidence.models import Export, ReportFile, ReportRelease
from evidence.models.disclosures import DisclosureKind

TAKEN_BACK = (
    "A report in this package is no longer released to the audit. Ask for the package"
    " again."
)


@transaction.atomic
def disclose_in_package(export: Export, *, by: Actor) -> None:
    """Somebody takes a package: a record for each file of a held report in it.

    Raises TransitionNotAllowed where one is released no more or was removed,
    NotPermitted for who may not open one any more.
    """
    for pk in sorted(export.reports or ()):
        file = ReportFile.objects.locked(pk)
        release = ReportRelease.objects.standing().filter(
            file=file, engagement__uuid=export.filters["engagement"]
        )
        if not release.exists():
            raise TransitionNotAllowed(TAKEN_BACK)
        require_open(file, by=by)
        reason = f"In the evidence package {export.uuid}"
        record_disclosure(file, DisclosureKind.DOWNLOADED, by=by, reason=reason)
