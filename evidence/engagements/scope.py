"""The scope of an audit on its pages and in files: what is outside is said to be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from controls.engagement_scope import (
    ControlScope,
    choose_controls,
    in_words,
    scope_of_engagement,
    scopes_of,
)
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    ControlImplementation,
    Engagement,
    EngagementScope,
    System,
)
from evidence.models import ClosingState, ControlMark
from evidence.status.rows import Moment, read_rows

NO_SUCH_SCOPE = "Choose an audit of this system that you read."
OUT_OF_SCOPE = "{control} is out of the scope of this audit: nobody marks it here."
TITLES = """
SELECT g.id, g.uuid::text AS uuid, g.title FROM {engagement} g
 WHERE g.uuid = ANY(%(uuids)s::uuid[])
"""
Row = Mapping[str, Any]


def rows_in_scope(rows: Sequence[Row], scope: ControlScope) -> list[Row]:
    """Those of the rows of `listed` that an audit is about, in their order."""
    return [row for row in rows if row["ref_id"] in scope]


def rows_of_audit(
    rows: Sequence[Row], engagement: str, known_at: dt.datetime
) -> list[Row]:
    """The same by the uuid of the engagement, as its scope was known then. Two
    statements."""
    audit = Engagement.objects.get(uuid=engagement)
    return rows_in_scope(rows, scope_of_engagement(audit, known_at))


def keys_in_scope(engagement: Engagement, scope: ControlScope) -> frozenset[int] | None:
    """The keys of the controls in scope; None for all. One statement where some were
    chosen."""
    if scope.controls is None:
        return None
    rows = ControlImplementation.objects.filter(
        system=engagement.system_id, control__ref_id__in=scope.controls
    )
    return frozenset(rows.values_list("pk", flat=True))


def refuse_out_of_scope(
    engagement: Engagement, controls: Collection[ControlImplementation]
) -> None:
    """Raise Refused that names a control which the audit is not about."""
    scope = scope_of_engagement(engagement)
    for one in controls:
        if one.control.ref_id not in scope:
            raise Refused(OUT_OF_SCOPE.format(control=one.control.label))


def refuse_scope_of_others(system: System, engagement: str, *, by: Actor) -> None:
    """Raise Refused for an audit that `by` does not read, or of another system; empty
    is none."""
    if not engagement:
        return
    mine = Engagement.objects.open_to(by).filter(system=system)
    try:
        known = mine.filter(uuid=engagement).exists()
    except ValidationError:  # no uuid
        known = False
    if not known:
        raise Refused({"engagement": NO_SUCH_SCOPE})


@dataclass(frozen=True)
class NamedScope:
    """A scope beside the title of its engagement."""

    title: str
    scope: ControlScope

    @property
    def sentence(self) -> str:
        """`in the scope of “SOC 2”, 40 chosen controls`, and that the rest is not."""
        words = f"in the scope of “{self.title}”, {in_words(self.scope)}"
        if self.scope.chosen:
            words += " (other controls of the system are out of its scope)"
        return words


def named_scopes(engagements: Collection[str], moment: Moment) -> dict[str, NamedScope]:
    """Engagements by their uuids, with titles and scopes as known at a moment. Two
    statements, however many there are."""
    uuids = sorted(set(filter(None, engagements)))
    if not uuids:
        return {}
    rows = read_rows(TITLES, moment, uuids=uuids)
    scopes = scopes_of([row["id"] for row in rows], moment.known_at)
    return {row["uuid"]: NamedScope(row["title"], scopes[row["id"]]) for row in rows}


def scopes_read(engagements: Collection[str], *, by: Actor) -> dict[str, NamedScope]:
    """Those of `named_scopes` that a person reads now; what is no uuid is left out."""
    uuids = {text for text in engagements if _is_uuid(text)}
    if not uuids:
        return {}
    mine = Engagement.objects.open_to(by).filter(uuid__in=uuids)
    read = [str(uuid) for uuid in mine.values_list("uuid", flat=True)]
    return named_scopes(read, Moment(dt.date.max))


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@transaction.atomic
def choose_scope(
    engagement: Engagement,
    controls: Collection[str] | None,
    *,
    by: Actor,
    version: int | None = None,
) -> ControlScope:
    """As `choose_controls`; raises TransitionNotAllowed once its window is closed."""
    closed = engagement.closings.filter(state=ClosingState.CLOSED)
    if closed.exists():
        raise TransitionNotAllowed("Its window is closed: the scope stays as it was.")
    return choose_controls(engagement, controls, by=by, version=version)


def other_audits(engagement: Engagement, *, reader: Actor) -> list[dict[str, Any]]:
    """Engagements of the same audit in other systems that the reader may open, each
    with its controls in scope and how many of these somebody has begun with."""
    mine = Engagement.objects.open_to(reader).filter(audit=engagement.audit)
    rows = list(mine.exclude(pk=engagement.pk).select_related("system").order_by("pk"))
    scopes = scopes_of([row.pk for row in rows])
    others = []
    for row in rows:
        keys = keys_in_scope(row, scopes[row.pk])
        marks = ControlMark.objects.filter(engagement=row).exclude(state="not_started")
        if keys is not None:
            marks = marks.filter(implementation__in=keys)
        total = row.system.implementations.count() if keys is None else len(keys)
        others.append({"engagement": row, "controls": total, "begun": marks.count()})
    return others


def scopes_recorded(engagement: Engagement) -> list[EngagementScope]:
    """All that was ever recorded, the newest first."""
    return list(engagement.scopes.select_related("chosen_by").order_by("-pk"))


def audits_of_reader(system: System, *, reader: Actor) -> list[NamedScope]:
    """Audits that the reader works on in a system now, with their scopes. One statement
    for whoever audits nothing there."""
    mine = Engagement.objects.audited_by(reader).filter(system=system)
    titles = dict(mine.values_list("pk", "title"))
    if not titles:
        return []
    scopes = scopes_of(list(titles))
    return [NamedScope(titles[key], scope) for key, scope in scopes.items()]
