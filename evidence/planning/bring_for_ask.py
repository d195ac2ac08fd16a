"""Bring files to the address of an ask: for the period they are for, and once.

Source: rule R14.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Q

from controls.models import Actor
from evidence.models import EvidenceLink, EvidenceRequirement, LinkState
from evidence.planning.next_upload import (
    NextUpload,
    next_upload,
    rows_asked,
    upload_about,
)
from evidence.submissions.submission import Submission
from evidence.submissions.submit import Proving, bring, submit
from evidence.submissions.twins import refuse_twins, twins_of
from evidence.submissions.uploads import Upload

BROUGHT = (LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED)


@dataclass(frozen=True)
class Brought:
    """What became of an upload for an ask: the first link, and whether it is new."""

    link: EvidenceLink
    new: bool


def bring_for_ask(
    ask: EvidenceRequirement,
    stated: Submission,
    uploads: Sequence[Upload],
    *,
    by: Actor,
    today: dt.date,
    about: dt.date | None = None,
    again: bool = False,
) -> Brought:
    """Submit files for the oldest open period of an ask, once.

    With `about`, for the open period that holds this day instead. `stated` says who,
    where and when; its title, where it has one, and its period are replaced. The same
    bytes performed on the same day, or for the same period, are not taken a second
    time unless `again`: the earlier link is returned. Raises what `submit` raises,
    Refused where no open period holds the day, and AlreadyBrought where only some of
    the files were brought.
    """
    offer = _Offer(ask, stated, uploads, about, today)
    if again or offer.earlier() is None:
        target = offer.target()
        proving = Proving(target.first, also=target.also)
        bring(_about(stated, target), uploads, proving, by=by, today=today)
    with transaction.atomic():
        EvidenceRequirement.objects.select_for_update().get(pk=ask.pk)
        if not again and (earlier := offer.earlier()):
            return Brought(earlier, new=False)
        target = offer.target()
        submission = _about(stated, target)
        if not again and (twin := _twin(submission, uploads, target, by, today)):
            return Brought(twin, new=False)
        link = submit(
            submission,
            uploads,
            requirement=target.first,
            also=target.also,
            by=by,
            today=today,
        )
        return Brought(link, new=True)


@dataclass(frozen=True)
class _Offer:
    """Files for an ask, and for the period that holds a day where one is named."""

    ask: EvidenceRequirement
    stated: Submission
    uploads: Sequence[Upload]
    about: dt.date | None
    today: dt.date

    def target(self) -> NextUpload:
        """What they are for now. Raises Refused."""
        rows = rows_asked(self.ask, self.today)
        if self.about is not None:
            return upload_about(rows, self.today, self.about)
        return next_upload(rows, self.today)

    def earlier(self) -> EvidenceLink | None:
        """The link by which the same bytes were brought before: about the day that is
        named; where none is, performed on the same day."""
        digests = {upload.stored.sha256 for upload in self.uploads}
        same = Q(revision__performed_on=self.stated.performed_on)
        if self.about is not None:  # those of another period answer nothing here
            same = Q(
                revision__period_from__lte=self.about,
                revision__period_until__gt=self.about,
            )
        links = (
            EvidenceLink.objects.filter(
                same,
                requirement__in=[row.pk for row in rows_asked(self.ask, self.today)],
                revision__files__blob__sha256__in=digests,
                state__in=BROUGHT,
            )
            .select_related("revision__evidence")
            .prefetch_related("revision__files__blob")
            .order_by("pk")
            .distinct()
        )
        for link in links:
            if {file.blob.sha256 for file in link.revision.files.all()} == digests:
                return link
        return None


def _about(stated: Submission, target: NextUpload) -> Submission:
    return replace(
        stated,
        title=stated.title or target.title,
        period_start=target.period.first,
        period_end=target.period.last,
    )


def _twin(
    submission: Submission,
    uploads: Sequence[Upload],
    target: NextUpload,
    by: Actor,
    today: dt.date,
) -> EvidenceLink | None:
    """The link by which the same bytes stand for the same period; None for no such.

    Raises AlreadyBrought, naming them, where that is so of some of the files only.
    """
    twins = twins_of(submission, uploads, target.rows)
    if not twins:
        return None
    if len(twins) < len({upload.stored.sha256 for upload in uploads}):
        refuse_twins(twins, by=by, today=today)
    return twins[0].link
