"""No day of performance moves back but by a correction, which says why (R14)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from django.db.models import Q

from controls.errors import Refused
from evidence.models import EvidenceLink, LinkState, RequirementControl
from evidence.models.revisions import MAX_COMMON_BYTES
from evidence.status.cadence import occurrence_of
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import Upload


def refuse_backdated(
    submission: Submission,
    uploads: Sequence[Upload],
    requirements: Iterable[RequirementControl],
) -> None:
    """Raise Refused where a file was brought for the same period with a later day.

    Files of at most MAX_COMMON_BYTES say nothing: empty exports are alike. Drafts were
    never handed over. One statement, or none.
    """
    digests = [
        upload.stored.sha256
        for upload in uploads
        if upload.stored.size_bytes > MAX_COMMON_BYTES
    ]
    day = min(submission.period_end, submission.performed_on)
    periods = [(row, occurrence_of(row.cadence, day)) for row in requirements]
    same_periods = [
        Q(requirement=row, occurrence=begins) for row, begins in periods if begins
    ]
    if not digests or not same_periods:
        return
    earlier = (
        EvidenceLink.objects.filter(
            reduce(or_, same_periods),
            revision__files__blob__sha256__in=digests,
            revision__performed_on__gt=submission.performed_on,
        )
        .exclude(state=LinkState.DRAFT)
        .order_by("pk")
        .values_list("revision__evidence__title", "revision__performed_on")
        .first()
    )
    if earlier is not None:
        title, performed_on = earlier
        raise Refused(
            {
                "performed_on": "The same file was brought as"
                f" “{title}” for this period, performed on"
                f" {performed_on}. Correct that one: a correction says"
                " why its day is earlier, and the auditor sees it."
            }
        )
