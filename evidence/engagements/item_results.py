"""An auditor tests a sampled event: what they found of it, in one engagement (R16)."""

from __future__ import annotations

import datetime as dt

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


@transaction.atomic
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
    """Say what was found of one sampled event; the company's deviations stay apart.

    `version` is that of the result that was seen, 0 for none. Raises NotPermitted,
    TransitionNotAllowed (the engagement has ended), StaleVersion, and Refused: by
    field, or an event of a control that the audit is not about.
    """
    stored = locked_for_marking(engagement, by=by)
    if item.sample.system_id != stored.system_id:
        raise Refused("This event is of another system.")
    refuse_out_of_scope(stored, [item.sample.population.requirement.implementation])
    refuse_long(note, "note")
    if result == ItemResult.EXCEPTION and not note.strip():
        raise Refused({"note": "Say what the exception is."})
    rows = TestedItem.objects.select_for_update(of=("self",)).select_related(
        "system", "sample_item__item"
    )
    tested = rows.filter(engagement=stored, sample_item=item).first() or TestedItem(
        system=stored.system, engagement=stored, sample_item=item, version=0
    )
    if version not in (None, tested.version):
        raise StaleVersion(
            f"{item} was tested by somebody else since you opened this. Look again."
        )
    tested.result, tested.note = result, note.strip()
    tested.tested_by, tested.tested_at = by, now
    tested.version += 1  # under the engagement's lock: nobody else counts meanwhile
    try:
        tested.full_clean(exclude=["known_from"], validate_unique=False)
    except ValidationError as refusal:
        raise Refused(refusal) from None
    tested.save()
    AuditEvent.objects.append(
        about(
            tested,
            "sample-item.tested",
            by=by,
            engagement=str(stored.uuid),
            result=tested.result,
            note=tested.note,
        )
    )
    return tested
