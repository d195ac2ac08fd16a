"""Changing on which days a component was in use, before today: two officers (R31)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    RetrospectiveChange,
    ServiceVariant,
    System,
    SystemComponent,
)
from controls.models.audit import about
from controls.reasons import refuse_long
from controls.responsibility.decide import rulings_due
from controls.retrospect import applies, request_change
from controls.service_names import variant_label
from evidence.systems.describe import (
    Use,
    add_component,
    alters_the_past,
    component_of,
    decide_and_ask_anew,
    end_component,
)

DAY = dt.timedelta(days=1)


def ask_component(
    system: System, use: Use, *, by: Actor, today: dt.date, reason: str = ""
) -> SystemComponent | RetrospectiveChange:
    """Take a component into use, or ask for it where that alters days before today.

    `today` is the system's day. Raises what `add_component` does, and Refused where a
    reason is needed and none is given.
    """
    component = component_of(system, use)
    if not alters_the_past(component, today):
        return add_component(system, use, by=by, today=today)
    require_officer(system, by)
    component.full_clean()
    return request_change(
        system,
        kind="component",
        body={
            "variant": f"{use.variant.service.slug}:{use.variant.slug}",
            "name": component.name,
            "regions": component.regions,
            "provided_by": component.provided_by,
            **_days(use.used_from, use.used_until),
        },
        first_day=use.used_from,
        reason=reason,
        by=by,
        today=today,
    )


def ask_end(
    component: SystemComponent,
    *,
    last_day: dt.date,
    by: Actor,
    today: dt.date,
    reason: str = "",
    version: int | None = None,
) -> RetrospectiveChange | None:
    """End the use of a component after `last_day`, or ask for it where that alters
    days before today; None: it is ended.

    Raises what `end_component` and `request_change` do.
    """
    until = last_day + DAY
    first = min(until, component.used_until or until)
    if first >= today:
        end_component(component, last_day=last_day, by=by, version=version, today=today)
        return None
    return ask_other_days(
        component,
        used_from=component.used_from,
        used_until=until,
        reason=reason,
        by=by,
        today=today,
        version=version,
    )


def ask_other_days(
    component: SystemComponent,
    *,
    used_from: dt.date | None,
    used_until: dt.date | None,
    reason: str,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> RetrospectiveChange | None:
    """Ask that a component was in use on other days, of which some lie before today.

    `used_until` is the first day of no use (None: it goes on); without `used_from` it
    was never in use. Where every day that is altered is today or later one officer is
    enough: None, it is so. Raises NotPermitted, StaleVersion, Refused.
    """
    require_officer(component.system, by)
    refuse_stale(component, version)
    if used_from and used_until and used_until <= used_from:
        raise Refused({"last_day": f"It is in use from {used_from} on."})
    first = _first_altered(component, used_from, used_until)
    if first is None:
        raise Refused({"used_from": "It is in use on these days already."})
    if first >= today:
        _plan_anew(component, used_from, used_until, reason=reason, by=by, today=today)
        return None
    return request_change(
        component.system,
        kind="component",
        body={
            "component": str(component.uuid),
            "name": str(component),
            "before": _days(component.used_from, component.used_until),
            **_days(used_from, used_until),
        },
        first_day=first,
        reason=reason,
        by=by,
        today=today,
    )


@transaction.atomic
def _plan_anew(
    component: SystemComponent,
    used_from: dt.date | None,
    used_until: dt.date | None,
    *,
    reason: str,
    by: Actor,
    today: dt.date,
) -> None:
    """Let a component be used on other days ahead, or not at all; classes follow."""
    system = System.objects.select_for_update(of=("self",)).get(pk=component.system_id)
    rows = SystemComponent.objects.select_for_update(of=("self",))
    stored = rows.filter(pk=component.pk).first()
    if stored is None:
        raise TransitionNotAllowed("This component is not there any more.")
    require_officer(system, by)
    refuse_stale(stored, component.version)
    refuse_long(reason)
    if not reason.strip():
        raise Refused({"reason": "Say why its days are other ones."})
    before = rulings_due(system)
    if used_from is None:
        stored.delete()
    else:
        stored.used_from, stored.used_until = used_from, used_until
        stored.clean_fields()
        stored.validate_constraints()
        stored.version = F("version") + 1
        stored.save(update_fields=["used_from", "used_until", "version"])
    decide_and_ask_anew(system, by, reason.strip(), before=before, today=today)
    AuditEvent.objects.append(
        about(
            component,
            "component.planned-anew",
            by=by,
            before=_days(component.used_from, component.used_until),
            after=_days(used_from, used_until),
            reason=reason.strip(),
        )
    )


def _first_altered(
    component: SystemComponent,
    used_from: dt.date | None,
    used_until: dt.date | None,
) -> dt.date | None:
    """The first day of which something else would hold; None: there is none."""
    if used_from is None:
        return component.used_from
    days = []
    if used_from != component.used_from:
        days.append(min(used_from, component.used_from))
    if used_until != component.used_until:
        ends = [day for day in (used_until, component.used_until) if day]
        days.append(min(ends))
    return min(days, default=None)


def _days(used_from: dt.date | None, used_until: dt.date | None) -> dict[str, Any]:
    return {
        "used_from": str(used_from) if used_from else None,
        "used_until": str(used_until) if used_until else None,
    }


def _day(body: Mapping[str, Any], name: str) -> dt.date | None:
    return dt.date.fromisoformat(body[name]) if body.get(name) else None


def _words(change: RetrospectiveChange) -> list[tuple[str, str]]:
    """What a change of days of use says, in plain words."""
    body = change.body
    days = _days_in_words(body)
    words = [("Component", _name(body)), ("What is to hold", days)]
    if "before" in body:
        words.append(("What was said", _days_in_words(body["before"])))
    if body.get("regions"):
        words.append(("Regions", ", ".join(body["regions"])))
    return words


def _days_in_words(body: Mapping[str, Any]) -> str:
    """Days of use in words, both inclusive."""
    used_from, until = _day(body, "used_from"), _day(body, "used_until")
    if used_from is None:
        return "Never in use"
    return f"In use from {used_from}" + (f" to {until - DAY}" if until else " on")


def _name(body: Mapping[str, Any]) -> str:
    if "variant" in body and not body["name"]:
        return variant_label(_variant(body))
    return str(body["name"])


def _variant(body: Mapping[str, Any]) -> ServiceVariant:
    service, _, variant = body["variant"].partition(":")
    rows = ServiceVariant.objects.select_related("service")
    return rows.get(service__slug=service, slug=variant)


@applies("component", name="Use of a component", explain=_words)
@transaction.atomic
def change_component(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    """Let a component have been in use on other days; classes follow, marked."""
    body, system = change.body, change.system
    before = rulings_due(system)
    used_from, until = _day(body, "used_from"), _day(body, "used_until")
    if "variant" in body:
        use = Use(
            _variant(body),
            used_from or today,
            until,
            body["regions"],
            body["name"],
            body["provided_by"],
        )
        component = component_of(system, use)
        component.change = change
        component.full_clean()
        component.save(force_insert=True)
    else:
        _set_days(change, used_from, until)
    decide_and_ask_anew(system, by, change.reason, change, before=before)


def _set_days(
    change: RetrospectiveChange, used_from: dt.date | None, until: dt.date | None
) -> None:
    rows = SystemComponent.objects.select_for_update(of=("self",))
    stored = rows.filter(uuid=change.body["component"]).first()
    if stored is None:
        raise TransitionNotAllowed("This component is not there any more.")
    if change.body["before"] != _days(stored.used_from, stored.used_until):
        raise TransitionNotAllowed(
            "Its days were changed since this was requested. Ask for it again."
        )
    if used_from is None:
        stored.delete()
        return
    stored.used_from, stored.used_until = used_from, until
    stored.change = change
    stored.clean_fields()
    stored.validate_constraints()
    stored.version = F("version") + 1
    stored.save(update_fields=["used_from", "used_until", "change", "version"])
