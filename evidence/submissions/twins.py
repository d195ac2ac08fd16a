"""The same bytes for the same ask and period: shown, and sent again only on purpose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from controls.errors import SrmError
from controls.grammar import day_in_words
from controls.models import Actor
from evidence.models import EvidenceLink, LinkState, RequirementControl
from evidence.models.revisions import MAX_COMMON_BYTES
from evidence.status.cadence import last_day, occurrence_of
from evidence.submissions.same_again import period_named
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import Upload

STANDING = [LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED]
# The links of asks that stand with one of these files, the newest first. The same
# statement whether anybody else has brought the bytes or not. It begins with the bytes,
# of which there is one row each, whatever PostgreSQL believes of how long tables are.
LINKS_OF = """
WITH brought AS MATERIALIZED (
  SELECT b.sha256, f.revision_id
    FROM evidence_blob b JOIN evidence_evidencefile f ON f.blob_id = b.id
   WHERE b.sha256 = ANY(%s))
SELECT brought.sha256, l.id, l.requirement_id, l.occurrence, r.performed_on
  FROM brought
  JOIN evidence_evidencelink l ON l.revision_id = brought.revision_id
  JOIN evidence_evidencerevision r ON r.id = l.revision_id
 WHERE l.requirement_id = ANY(%s) AND l.state = ANY(%s)
 ORDER BY l.id DESC
"""


class AlreadyBrought(SrmError):
    """The same bytes stand for the same ask and period, and nobody asked to repeat."""

    status_code = 409


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
        if link.occurrence:  # it may be of terms that hold no longer
            cadence = link.requirement.cadence
            ends = link.occurrence_ends or last_day(cadence, link.occurrence)
            name = period_named(cadence, link.occurrence, ends)
        about = f"“{link.requirement.title}”{', ' if name else ''}{name}"
        return (
            f"{self.file} (sha256 {self.sha256[:12]}) was brought by {who} for {about},"
            f" {on} at {at:%H:%M}."
        )


class StandingLink(NamedTuple):
    """A file of a link that counts or waits, and what it was brought for."""

    sha256: str
    pk: int
    requirement: int | None
    occurrence: dt.date | None
    performed_on: dt.date


@dataclass(frozen=True)
class Bringing:
    """Files that somebody is about to bring, and what they are to prove."""

    submission: Submission
    uploads: Sequence[Upload]
    requirements: Sequence[RequirementControl]

    @property
    def names(self) -> dict[str, str]:
        """Names of the files by digest, of those that are large enough to tell."""
        return {
            upload.stored.sha256: upload.name
            for upload in self.uploads
            if upload.stored.size_bytes > MAX_COMMON_BYTES
        }

    def is_for_that_too(self, link: StandingLink) -> bool:
        """Whether a link is for one of the same asks and the same period."""
        submission = self.submission
        day = min(submission.period_end, submission.performed_on)
        for row in self.requirements:
            if row.pk != link.requirement:
                continue
            occurrence = occurrence_of(row.cadence, day)
            if occurrence is None:
                return link.performed_on == submission.performed_on
            return link.occurrence == occurrence
        return False


def twins_of(
    submission: Submission,
    uploads: Sequence[Upload],
    requirements: Iterable[RequirementControl],
) -> list[Twin]:
    """Each file whose bytes stand for the same ask and period already.

    Files of at most MAX_COMMON_BYTES say nothing: empty exports are alike. What was
    rejected or withdrawn does not count. None, one or two statements.
    """
    (twins,) = twins_of_each([Bringing(submission, uploads, list(requirements))])
    return twins


def twins_of_each(bringings: Sequence[Bringing]) -> list[list[Twin]]:
    """The same for many at once, in their order. None, one or two statements."""
    digests = {digest for bringing in bringings for digest in bringing.names}
    requirement_keys = {
        row.pk for bringing in bringings for row in bringing.requirements
    }
    if not digests or not requirement_keys:
        return [[] for _ in bringings]
    with connection.cursor() as cursor:
        cursor.execute(LINKS_OF, [list(digests), list(requirement_keys), STANDING])
        rows = [StandingLink(*row) for row in cursor.fetchall()]
    newest = [_newest_among(rows, bringing) for bringing in bringings]
    keys = {key for of_one in newest for key in of_one.values()}
    if not keys:  # as nearly always
        return [[] for _ in bringings]
    links = EvidenceLink.objects.select_related(
        "revision__evidence", "requirement", "system", "submitted_by"
    ).in_bulk(keys)
    return [
        [
            Twin(bringing.names[sha256], sha256, links[key])
            for sha256, key in of_one.items()
        ]
        for bringing, of_one in zip(bringings, newest, strict=True)
    ]


def _newest_among(rows: Iterable[StandingLink], bringing: Bringing) -> dict[str, int]:
    """The key of the newest link by which each of the files stands, by its digest."""
    names = bringing.names
    newest: dict[str, int] = {}
    for row in rows:
        if row.sha256 in names and bringing.is_for_that_too(row):
            newest.setdefault(row.sha256, row.pk)
    return newest


def refuse_twins(twins: Sequence[Twin], *, by: Actor, today: dt.date) -> None:
    """Raise AlreadyBrought, naming each, where there are any."""
    if twins:
        sentences = [twin.sentence(by, today) for twin in twins]
        what_to_do = (
            "It was not submitted again. Say `again` to submit it a second time."
        )
        raise AlreadyBrought(" ".join([*sentences, what_to_do]))
