"""Saying where regional services run of which nobody has said it: in one act (R20).

Without a region a service of AWS is `region_unknown`, and its provider's half is never
proven. Saying it first is no change of the past, so one officer does it, from any day
of the use on (R31).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from controls.access import require_officer
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, AuditEvent, Role, System, SystemComponent
from controls.models.audit import about
from controls.models.services import Provider
from evidence.systems.describe import regions_for


def without_region(systems: QuerySet[System]) -> QuerySet[SystemComponent]:
    """Uses of regional services without a region, on days since the windows began."""
    return (
        SystemComponent.objects.filter(
            system__in=systems,
            variant__service__provider=Provider.AWS,
            variant__service__is_global=False,
            regions=[],
        )
        .filter(Q(used_until=None) | Q(used_until__gt=F("system__window_start")))
        .select_related("system", "variant__service")
        .order_by("variant__service__name", "used_from", "pk")
    )


def systems_without_regions(user: Actor) -> list[tuple[str, str, int]]:
    """Systems of which this officer has to say regions: slug, name, how many uses."""
    mine = System.objects.held_as(user, [Role.OFFICER]).order_by()
    rows = without_region(mine).order_by("system__name", "system__slug")
    counted = rows.values("system__slug", "system__name").annotate(uses=Count("pk"))
    return [(row["system__slug"], row["system__name"], row["uses"]) for row in counted]


@transaction.atomic
def say_regions(
    system: System,
    regions: Mapping[str, Sequence[str]],
    *,
    first_day: dt.date,
    by: Actor,
) -> list[SystemComponent]:
    """Say in which regions components run, by their uuid, from `first_day` on.

    Before that day nothing is said of them still; a component taken into use later has
    its regions from its own first day. Raises NotPermitted, Refused by field, and
    TransitionNotAllowed where something is said of a region already.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    if not regions:
        raise Refused({"regions": "Say the region of at least one component."})
    rows = SystemComponent.objects.select_for_update(of=("self",)).filter(
        system=locked, uuid__in=list(regions)
    )
    components = {str(row.uuid): row for row in rows.select_related("variant__service")}
    changed = []
    for uuid, codes in regions.items():
        component = components.get(uuid)
        if component is None:
            raise Refused({"regions": "One of these components is not there any more."})
        changed.append(_with_regions(locked, component, codes, first_day))
    names = {str(row.uuid): [str(row), row.regions] for row in changed}
    AuditEvent.objects.append(
        about(
            locked,
            "component.regions-stated",
            by=by,
            first_day=str(first_day),
            components=names,
        )
    )
    return changed


def _with_regions(
    system: System,
    component: SystemComponent,
    codes: Sequence[str],
    first_day: dt.date,
) -> SystemComponent:
    """The use from `first_day` on with its regions; what was before it stays."""
    if component.regions:
        raise TransitionNotAllowed(f"Somebody said the regions of {component} already.")
    places = regions_for(system, component.variant.service, codes)
    if not places:
        raise Refused({"regions": f"{component} runs in some region: say which."})
    if component.used_until and first_day >= component.used_until:
        raise Refused({"first_day": f"{component} was not in use any more by then."})
    if first_day <= component.used_from:
        component.regions = places
        component.clean_fields()
        component.version = F("version") + 1
        component.save(update_fields=["regions", "version"])
        component.refresh_from_db()
        return component
    later = SystemComponent(
        system=system,
        variant=component.variant,
        name=component.name,
        regions=places,
        provided_by=component.provided_by,
        used_from=first_day,
        used_until=component.used_until,
        change=component.change,
    )
    component.used_until = first_day
    component.version = F("version") + 1
    component.save(update_fields=["used_until", "version"])
    later.full_clean()
    later.save(force_insert=True)
    return later
