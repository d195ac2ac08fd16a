"""The same bytes for the same ask and period: shown, and sent again only on purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import F, Q

from controls.grammar import day_in_words
from controls.models import Actor
from evidence.models import EvidenceLink, LinkState, RequirementControl
from evidence.models.revisions import MAX_COMMON_BYTES
from evidence.status.cadence import occurrence_of
from evidence.submissions.same_again import period_name
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import Upload

STANDING = [LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED]


@dataclass(frozen=True)
class Twin:
    """A file that was brought before, and the newest link it was brought for."""

    file: str
    sha256: str
    link: EvidenceLink

    @property
    def heading(self) -> str:
        """Where the earlier one stands: `The same file already waits for review`."""
        words = {
            LinkState.DRAFT: "The same file is kept in a draft",
            LinkState.SUBMITTED: "The same file already waits for review",
            LinkState.ACCEPTED: "The same file was accepted already",
        }
        return words[LinkState(self.link.state)]

    def sentence(self, by: Actor, today: dt.date) -> str:
        """Who brought it, for what, and when, as `by` reads it."""
        link = self.link
        assert link.requirement is not None
        who = "you" if link.revision.uploaded_by_id == by.pk else link.submitted_by
        zone = link.system.zone
        at = link.revision.uploaded_at.astimezone(zone)
        on = "today" if at.date() == today else f"on {day_in_words(at.date())}"
        name = ""
        if link.occurrence:
            name = period_name(link.requirement.cadence, link.occurrence)
        about = f"“{link.requirement.title}”{', ' if name else ''}{name}"
        return (
            f"{self.file} (sha256 {self.sha256[:12]}) was brought by {who} for {about},"
            f" {on} at {at:%H:%M}."
        )


def twins_of(
    submission: Submission,
    uploads: Sequence[Upload],
    requirements: Iterable[RequirementControl],
) -> list[Twin]:
    """Each file whose bytes stand for the same ask and period already.

    Files of at most MAX_COMMON_BYTES say nothing: empty exports are alike. What was
    rejected or withdrawn does not count. None, one or two statements.
    """
    names = {
        upload.stored.sha256: upload.name
        for upload in uploads
        if upload.stored.size_bytes > MAX_COMMON_BYTES
    }
    day = min(submission.period_end, submission.performed_on)
    same = [
        Q(requirement=row, occurrence=occurrence_of(row.cadence, day))
        if occurrence_of(row.cadence, day)
        else Q(requirement=row, revision__performed_on=submission.performed_on)
        for row in requirements
    ]
    if not names or not same:
        return []
    standing = (
        EvidenceLink.objects.filter(
            reduce(or_, same),
            revision__files__blob__sha256__in=list(names),
            state__in=STANDING,
        )
        .annotate(same_bytes=F("revision__files__blob__sha256"))
        .order_by("-pk")
    )
    newest: dict[str, int] = {}
    for sha256, pk in standing.values_list("same_bytes", "pk"):
        newest.setdefault(sha256, pk)
    if not newest:  # as nearly always
        return []
    links = EvidenceLink.objects.select_related(
        "revision__evidence", "requirement", "system", "submitted_by"
    ).in_bulk(newest.values())
    return [Twin(names[sha256], sha256, links[pk]) for sha256, pk in newest.items()]
