"""What the next upload of an ask is for: its oldest open period, and who is open in it.

One performance answers every control of the ask that is open in the period; those that
are accepted or wait for review are left alone (R11). Source: rules R11 and R14.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Q

from controls.errors import Refused
from controls.models import Actor
from evidence.models import (
    EvidenceLink,
    EvidenceRequirement,
    LinkState,
    RequirementControl,
)
from evidence.planning.asks import with_newest_links
from evidence.planning.open_periods import DuePeriod, open_periods_of, period_due
from evidence.requirements.joined import joined_on
from evidence.submissions.submission import Submission
from evidence.submissions.submit import Proving, bring, submit
from evidence.submissions.twins import refuse_twins, twins_of
from evidence.submissions.uploads import Upload

BROUGHT = (LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED)


@dataclass(frozen=True)
class NextUpload:
    """The period to bring something for, and the rows that are open in it.

    `rows` are in catalog order; where nothing is open they are all of the ask, and the
    period is the running one.
    """

    period: DuePeriod
    rows: Sequence[RequirementControl]

    @property
    def first(self) -> RequirementControl:
        """The row in whose name it is submitted."""
        return self.rows[0]

    @property
    def also(self) -> Sequence[RequirementControl]:
        """The others that the same upload answers."""
        return self.rows[1:]

    @property
    def query(self) -> str:
        """What the address of the upload page adds: the period and the others."""
        fields = [("period", str(self.period.first))] if self.period.due else []
        fields += [("also", str(row.pk)) for row in self.also]
        return f"?{urlencode(fields)}" if fields else ""

    @property
    def title(self) -> str:
        """What it is called where nobody says otherwise."""
        title = self.first.title
        return f"{title}, {self.period.name}"[:200] if self.period.name else title


def ask_of_today(ask: EvidenceRequirement, today: dt.date) -> EvidenceRequirement:
    """The ask under which a row stands today, by the address of its own ask as well."""
    row = ask.controls.select_related("ask").first()
    return (joined_on(row, today) if row else None) or ask


def rows_asked(ask: EvidenceRequirement, today: dt.date) -> list[RequirementControl]:
    """The rows of an ask that are to be proven on a day, in catalog order, as
    `with_newest_links` gives them."""
    rows = (
        RequirementControl.objects.for_listing()
        .filter(Q(joined=ask) | Q(ask=ask, joined=None), operates_from__lte=today)
        .filter(Q(operates_until=None) | Q(operates_until__gt=today))
        .of_our_half()
        .order_by("implementation__control__sort_order", "pk")
    )
    return list(with_newest_links(rows, today))


def next_upload(
    rows: Sequence[RequirementControl],
    today: dt.date,
    period: DuePeriod | None = None,
) -> NextUpload:
    """What to bring next for the rows of one ask; they come from `rows_asked`.

    With a `period`, for that one, where it is open in any of them. Raises Refused
    where the ask names no control today.
    """
    if not rows:
        raise Refused("Nothing is asked for under this ask today.")
    opened = open_periods_of(rows, today)
    if period is not None and (open_rows := _open_in(rows, opened, period)):
        return NextUpload(period, open_rows)
    return of_opened(rows, opened, today)


def of_opened(
    rows: Sequence[RequirementControl],
    opened: Mapping[int, Sequence[DuePeriod]],
    today: dt.date,
) -> NextUpload:
    """The same where the open periods of each row are known by its key."""
    return of_gaps(rows, uploads_to_bring(rows, opened), today)


def of_gaps(
    rows: Sequence[RequirementControl], gaps: Sequence[NextUpload], today: dt.date
) -> NextUpload:
    """The same where it is known what to bring for each open period."""
    if gaps:
        return gaps[0]
    running = period_due(rows[0], (), today)
    open_rows = [row for row in rows if not _is_brought(row, running)]
    return NextUpload(running, open_rows or rows)


def uploads_to_bring(
    rows: Sequence[RequirementControl], opened: Mapping[int, Sequence[DuePeriod]]
) -> list[NextUpload]:
    """One for each period that is open in any of the rows, the oldest first."""
    gaps: dict[tuple[dt.date, dt.date], DuePeriod] = {}
    open_rows: dict[tuple[dt.date, dt.date], dict[int, RequirementControl]] = {}
    for row in rows:
        for gap in opened.get(row.pk, ()):
            days = (gap.last, gap.first)
            gaps[days] = gap
            open_rows.setdefault(days, {})[row.pk] = row
    return [
        NextUpload(gaps[days], list(open_rows[days].values())) for days in sorted(gaps)
    ]


def _open_in(
    rows: Sequence[RequirementControl],
    opened: Mapping[int, Sequence[DuePeriod]],
    period: DuePeriod,
) -> list[RequirementControl]:
    days = (period.first, period.last)
    return [
        row
        for row in rows
        if any(days == (gap.first, gap.last) for gap in opened.get(row.pk, ()))
    ]


def _is_brought(row: RequirementControl, period: DuePeriod) -> bool:
    """Whether something counts or waits for the period; without calendar: at all."""
    if period.due is None:
        return bool(row.proven_link or row.waiting)  # type: ignore[attr-defined]
    days = {(period.first, period.last), (period.first, None)}
    return bool(row.answered & days)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Brought:
    """What became of an upload for an ask: the first link, and whether it is new."""

    link: EvidenceLink
    period: DuePeriod
    new: bool


def bring_for_ask(
    ask: EvidenceRequirement,
    stated: Submission,
    uploads: Sequence[Upload],
    *,
    by: Actor,
    today: dt.date,
    again: bool = False,
) -> Brought:
    """Submit files for the oldest open period of an ask, once.

    `stated` says who, where and when; its title, where it has one, and its period are
    replaced. The same bytes performed on the same day, or for the same period, are not
    taken a second time unless `again`: the earlier link is returned. Raises what
    `submit` raises, and AlreadyBrought where only some of the files were brought.
    """
    target = next_upload(rows_asked(ask, today), today)
    submission = _about(stated, target)
    proving = Proving(target.first, also=target.also)
    if again or _earlier(ask, submission.performed_on, uploads, today) is None:
        bring(submission, uploads, proving, by=by, today=today)
    with transaction.atomic():
        EvidenceRequirement.objects.select_for_update().get(pk=ask.pk)
        target = next_upload(rows_asked(ask, today), today)
        submission = _about(stated, target)
        earlier = _earlier(ask, submission.performed_on, uploads, today)
        if not again and earlier is None:
            earlier = _twin(submission, uploads, target, by, today)
        if not again and earlier is not None:
            return Brought(earlier, target.period, new=False)
        link = submit(
            submission,
            uploads,
            requirement=target.first,
            also=target.also,
            by=by,
            today=today,
        )
        return Brought(link, target.period, new=True)


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


def _earlier(
    ask: EvidenceRequirement,
    performed_on: dt.date,
    uploads: Iterable[Upload],
    today: dt.date,
) -> EvidenceLink | None:
    """The link by which the same bytes, performed that day, were brought before."""
    digests = {upload.stored.sha256 for upload in uploads}
    links = (
        EvidenceLink.objects.filter(
            requirement__in=[row.pk for row in rows_asked(ask, today)],
            revision__performed_on=performed_on,
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
