"""An auditor tests sampled events: what they found of each, in one engagement (R16)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from controls.errors import Refused, StaleVersion
from controls.models import Actor, AuditEvent, Engagement
from controls.models.audit import about
from controls.reasons import refuse_long
from evidence.engagements.scope import refuse_out_of_scope
from evidence.engagements.who_may import locked_for_marking
from evidence.models import SampleItem, TestedItem
from evidence.models.marks import ItemResult


@dataclass(frozen=True)
class ResultDraft:
    """What an auditor says of one event; `version` is that of the result that was
    seen, 0 for none, None for whichever stands."""

    result: str
    note: str = ""
    version: int | None = None


def record_result(
    engagement: Engagement,
    item: SampleItem,
    *,
    result: str,
    note: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> TestedItem:
    """Say what was found of one sampled event. Raises as `record_results`."""
    draft = ResultDraft(result, note, version)
    return record_results(engagement, {item: draft}, by=by, now=now)[0]


@transaction.atomic
def record_results(
    engagement: Engagement,
    drafts: Mapping[SampleItem, ResultDraft],
    *,
    by: Actor,
    now: dt.datetime,
) -> list[TestedItem]:
    """Say what was found of sampled events; the company's deviations stay apart.

    All or none; each leaves its event. Raises NotPermitted, TransitionNotAllowed (the
    engagement has ended), StaleVersion, and Refused: by field, or an event of a control
    that the audit is not about.
    """
    stored = locked_for_marking(engagement, by=by)
    if any(item.sample.system_id != stored.system_id for item in drafts):
        raise Refused("This event is of another system.")
    refuse_out_of_scope(
        stored,
        [item.sample.population.requirement.implementation for item in drafts],
    )
    rows = TestedItem.objects.select_for_update(of=("self",)).select_related(
        "system", "sample_item__item"
    )
    there = {
        row.sample_item_id: row
        for row in rows.filter(engagement=stored, sample_item__in=list(drafts))
    }
    saved, events = [], []
    for item, draft in drafts.items():
        tested = there.get(item.pk) or TestedItem(
            system=stored.system, engagement=stored, sample_item=item, version=0
        )
        _set_result(tested, item, draft)
        tested.tested_by, tested.tested_at = by, now
        saved.append(_saved(tested))
        events.append(
            about(
                tested,
                "sample-item.tested",
                by=by,
                engagement=str(stored.uuid),
                result=tested.result,
                note=tested.note,
            )
        )
    AuditEvent.objects.append_all(events)
    return saved


def _set_result(tested: TestedItem, item: SampleItem, draft: ResultDraft) -> None:
    refuse_long(draft.note, "note")
    if draft.result == ItemResult.EXCEPTION and not draft.note.strip():
        raise Refused({"note": f"{item.item.key}: say what the exception is."})
    if draft.version not in (None, tested.version):
        raise StaleVersion(
            f"{item} was tested by somebody else since you opened this. Look again."
        )
    tested.result, tested.note = draft.result, draft.note.strip()


def _saved(tested: TestedItem) -> TestedItem:
    tested.version += 1  # under the engagement's lock: nobody else counts meanwhile
    try:
        tested.full_clean(exclude=["known_from"], validate_unique=False)
    except ValidationError as refusal:
        raise Refused(refusal) from None
    tested.save()
    return tested
