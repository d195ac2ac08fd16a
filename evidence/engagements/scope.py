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
    System,
)
from evidence.engagements.scope_changes import scope_changes
from evidence.models import ClosingState, ControlMark, TestedItem
from evidence.models.marks import MarkState
from evidence.status.rows import Moment, grouped, read_rows

NO_SUCH_SCOPE = "Choose an audit of this system that you read."
OUT_OF_SCOPE = "{control} is out of the scope of this audit: nobody marks it here."
# Engagements by uuid, each with the others of its audit, itself among them.
TITLES = """
SELECT g.uuid::text AS of_uuid, o.id, o.uuid::text AS uuid, o.title, s.name AS system
  FROM {engagement} g
  JOIN {engagement} o ON o.audit = g.audit
  JOIN {system} s ON s.id = o.system_id
 WHERE g.uuid = ANY(%(uuids)s::uuid[])
 ORDER BY o.id
"""
NOT_RECORDED = (
    "This audit was not recorded at that time: ask with a later knowledge, or for all"
    " of the system."
)
CLOSED = "Its window is closed: the scope stays as it was."
Row = Mapping[str, Any]


def rows_in_scope(rows: Sequence[Row], scope: ControlScope) -> list[Row]:
    """Those of the rows of `listed` that an audit is about, in their order."""
    return [row for row in rows if row["ref_id"] in scope]


def rows_of_audit(
    rows: Sequence[Row], engagement: str, known_at: dt.datetime
) -> list[Row]:
    """The same by the uuid of the engagement, as its scope was known then; none where
    it was not recorded by then. Three statements."""
    if not recorded_by(engagement, known_at):
        return []
    audit = Engagement.objects.get(uuid=engagement)
    return rows_in_scope(rows, scope_of_engagement(audit, known_at))


def recorded_by(engagement: str, known_at: dt.datetime | None) -> bool:
    """Whether an audit, by the uuid of its engagement, was recorded before an instant
    (None: now). One statement."""
    return bool(read_rows(TITLES, Moment(dt.date.max, known_at), uuids=[engagement]))


def refuse_unrecorded_audit(engagement: str, known_at: dt.datetime) -> None:
    """Raise Refused for an audit that was recorded later; empty is none."""
    if engagement and not recorded_by(engagement, known_at):
        raise Refused({"known_at": NOT_RECORDED})


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
    # names of the systems of the audit, where it covers several
    systems: tuple[str, ...] = ()
    # what was taken out of it, each in a sentence
    taken_out: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """`in the scope of “SOC 2”, 40 chosen controls`, and that the rest is not."""
        words = f"in the scope of “{self.title}”, "
        if self.systems:
            words += f"which covers {', '.join(self.systems)}; here "
        words += in_words(self.scope)
        if self.scope.chosen:
            words += " (other controls of the system are out of its scope)"
        return "; ".join([words, *self.taken_out])


def named_scopes(engagements: Collection[str], moment: Moment) -> dict[str, NamedScope]:
    """Engagements by their uuids, with titles, systems and scopes as known at a moment.
    Three statements, however many there are."""
    uuids = sorted(set(filter(None, engagements)))
    if not uuids:
        return {}
    rows = read_rows(TITLES, moment, uuids=uuids)
    keys = {row["id"] for row in rows}
    scopes, changes = scopes_of(keys, moment.known_at), scope_changes(keys, moment)
    of_audit = grouped(rows, "of_uuid")
    return {
        row["uuid"]: NamedScope(
            row["title"],
            scopes[row["id"]],
            _covered(of_audit[row["uuid"]], scopes),
            tuple(one.sentence for one in changes[row["id"]] if one.reason),
        )
        for row in rows
        if row["uuid"] == row["of_uuid"]
    }


def _covered(
    rows: Sequence[Row], scopes: Mapping[int, ControlScope]
) -> tuple[str, ...]:
    """The names of several systems; of one that an audit is about anyway, none."""
    names = tuple(row["system"] for row in rows if scopes[row["id"]].covered)
    return names if len(rows) > 1 else ()


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
    reason: str = "",
    version: int | None = None,
) -> ControlScope:
    """As `choose_controls`; raises TransitionNotAllowed once its window is closed."""
    # nobody marks or closes meanwhile
    stored = Engagement.objects.select_for_update(of=("self",)).get(pk=engagement.pk)
    if stored.closings.filter(state=ClosingState.CLOSED).exists():
        raise TransitionNotAllowed(CLOSED)
    begun = begun_controls(stored)
    return choose_controls(
        stored, controls, by=by, reason=reason, begun=begun, version=version
    )


def begun_controls(engagement: Engagement) -> frozenset[str]:
    """Ids of the controls that its auditors have marked, or of which they tested an
    event. Two statements."""
    marks = engagement.marks.exclude(state=MarkState.NOT_STARTED)
    tested = TestedItem.objects.filter(engagement=engagement)
    of_item = "sample_item__sample__population__requirement__implementation"
    return frozenset(
        marks.values_list("implementation__control__ref_id", flat=True)
    ) | (frozenset(tested.values_list(f"{of_item}__control__ref_id", flat=True)))


def other_audits(
    engagement: Engagement, *, reader: Actor, known_at: dt.datetime | None = None
) -> list[dict[str, Any]]:
    """Engagements of the same audit in other systems that the reader may open, as they
    were recorded before an instant, each with its controls in scope and how many of
    these somebody has begun with. What was taken out of the audit is left out."""
    moment = Moment(dt.date.max, known_at)
    recorded = read_rows(TITLES, moment, uuids=[str(engagement.uuid)])
    mine = Engagement.objects.open_to(reader).filter(
        pk__in=[row["id"] for row in recorded]
    )
    rows = list(mine.exclude(pk=engagement.pk).select_related("system").order_by("pk"))
    scopes = scopes_of([row.pk for row in rows], known_at)
    others = []
    for row in rows:
        if not scopes[row.pk].covered:
            continue
        keys = keys_in_scope(row, scopes[row.pk])
        marks = ControlMark.objects.filter(engagement=row).exclude(state="not_started")
        if keys is not None:
            marks = marks.filter(implementation__in=keys)
        total = row.system.implementations.count() if keys is None else len(keys)
        others.append({"engagement": row, "controls": total, "begun": marks.count()})
    return others


def audits_of_reader(system: System, *, reader: Actor) -> list[NamedScope]:
    """Audits that the reader works on in a system now, with their scopes. One statement
    for whoever audits nothing there."""
    mine = Engagement.objects.audited_by(reader).filter(system=system)
    titles = dict(mine.values_list("pk", "title"))
    if not titles:
        return []
    scopes = scopes_of(list(titles))
    return [NamedScope(titles[key], scope) for key, scope in scopes.items()]
