"""Samples drawn from populations, and deviations of their items recorded (R16).

Each step locks the requirement first, as those of `populations` do.
"""

from __future__ import annotations

from django.db import transaction

from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.models import Deviation, Population, Sample, SampleItem
from evidence.models.populations import STANDING
from evidence.populations.populations import already_decided, locked
from evidence.populations.selection import SelectionMethod, new_seed, select
from evidence.populations.who_may import require_deviation_recorder, require_drawer


@transaction.atomic
def draw_sample(
    population: Population, way: SelectionMethod, *, reason: str, by: Actor
) -> Sample:
    """Draw items and record how, so that anybody can draw them again.

    A random sample without a seed gets one. Raises NotPermitted, Refused by field,
    TransitionNotAllowed for a population that was rejected or withdrawn.
    """
    stored = locked(population)
    require_drawer(stored, by=by)
    if stored.state not in STANDING:
        raise TransitionNotAllowed(already_decided(stored))
    if not reason.strip():
        raise Refused({"reason": "Say why it is this sample."})
    random = way.method == "random"
    seed = (way.seed.strip() or new_seed()) if random else ""
    positions = select(
        SelectionMethod(
            way.method, way.size, seed, way.every, way.first, way.positions
        ),
        stored.row_count,
    )
    counted = way.method == "every-nth"
    sample = Sample(
        system=stored.system,
        population=stored,
        drawn_by=by,
        method=way.method,
        size=len(positions),
        seed=seed,
        every=way.every if counted else None,
        first=way.first if counted else None,
        reason=reason.strip(),
        drawn_at=knowledge_now(),
    )
    sample.full_clean(exclude=["system", "population", "drawn_by", "known_from"])
    sample.save(force_insert=True)
    items = stored.items.filter(position__in=positions).order_by("position")
    SampleItem.objects.bulk_create(
        SampleItem(sample=sample, item_id=pk)
        for pk in items.values_list("pk", flat=True)
    )
    facts = {"method": way.method, "seed": seed, "positions": list(positions)}
    AuditEvent.objects.append(about(sample, "sample.drawn", by=by, **facts))
    return sample


@transaction.atomic
def record_deviation(item: SampleItem, *, note: str, by: Actor) -> Deviation:
    """Record that a sampled event was not handled as asked. It stays on record.

    Raises NotPermitted, Refused, TransitionNotAllowed for an event that has one, or of
    a population that was rejected or withdrawn.
    """
    sample = Sample.objects.for_listing().get(pk=item.sample_id)
    locked(sample.population)
    require_deviation_recorder(sample, by=by)
    item.refuse_ended()
    if not note.strip():
        raise Refused({"note": "Say what was not as it should be."})
    if Deviation.objects.filter(sample_item__item=item.item_id).exists():
        raise TransitionNotAllowed("A deviation of this item is on record already.")
    deviation = Deviation(
        system=sample.system, sample_item=item, recorded_by=by, note=note.strip()
    )
    deviation.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            deviation,
            "deviation.recorded",
            by=by,
            note=deviation.note,
            sample=sample.uuid,
        )
    )
    return deviation
