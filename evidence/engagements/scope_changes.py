"""What became of the scope of an audit: each change, when, by whom, and why."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from controls.engagement_scope import ControlScope, in_words, named_in_words, scope_as
from controls.models import Engagement, EngagementScope
from evidence.status.rows import Moment


@dataclass(frozen=True)
class ChangeOfAudit:
    """A recorded scope beside the one before it. `added` and `taken_out` are ids of
    controls; of a change from or to the whole baseline they are empty, it is named."""

    at: dt.datetime
    by: str
    scope: ControlScope
    added: Sequence[str]
    taken_out: Sequence[str]
    reason: str

    @property
    def about(self) -> str:
        """What the audit was about from then on: `40 chosen controls`."""
        return in_words(self.scope)

    @property
    def what(self) -> str:
        """`AC-2 added, CM-8 taken out`; empty from or to the whole baseline."""
        parts = []
        if self.added:
            parts.append(f"{named_in_words(self.added)} added")
        if self.taken_out:
            parts.append(f"{named_in_words(self.taken_out)} taken out")
        return ", ".join(parts)

    @property
    def sentence(self) -> str:
        """The change with its day (UTC), who, and why where that is recorded."""
        day = f"{self.at.astimezone(dt.UTC):%Y-%m-%d}"
        text = f"{self.what or self.about} on {day} by {self.by}"
        return f"{text}: “{self.reason}”" if self.reason else text


def scope_changes(
    engagements: Collection[int], moment: Moment
) -> Mapping[int, list[ChangeOfAudit]]:
    """All that was recorded of each engagement before a moment, in its order. One
    statement."""
    rows = EngagementScope.objects.filter(engagement__in=engagements)
    if moment.known_at is not None:
        rows = rows.filter(known_from__lt=moment.known_at)
    changes: defaultdict[int, list[ChangeOfAudit]] = defaultdict(list)
    before: dict[int, frozenset[str] | None] = {}
    for row in rows.select_related("chosen_by").order_by("pk"):
        scope = scope_as(row.controls, row.covered)
        earlier, now = before.get(row.engagement_id), scope.controls
        added = sorted(now - earlier) if earlier and now else []
        taken_out = sorted(earlier - now) if earlier and now else []
        changes[row.engagement_id].append(
            ChangeOfAudit(
                row.known_from,
                row.chooser_name or str(row.chosen_by),
                scope,
                added,
                taken_out,
                row.reason,
            )
        )
        before[row.engagement_id] = now
    return changes


def changes_of(
    engagement: Engagement, known_at: dt.datetime | None
) -> list[ChangeOfAudit]:
    """Those of one engagement, the newest first."""
    moment = Moment(dt.date.max, known_at)
    return list(reversed(scope_changes([engagement.pk], moment)[engagement.pk]))
