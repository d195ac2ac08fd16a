"""Describing a system: baseline, services, owners, classes, requirements at once.

One file: a new system and each later change of its components pass the same checks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from controls.access import may_describe_systems, require_officer
from controls.approvals import known_today, refuse_stale
from controls.audit_window import refuse_longer
from controls.errors import NotPermitted, Refused
from controls.history.clock import knowledge_now
from controls.models import (
    Actor,
    AuditEvent,
    Baseline,
    ControlImplementation,
    Membership,
    RetrospectiveChange,
    Role,
    Service,
    ServiceVariant,
    System,
    SystemComponent,
    Team,
)
from controls.models.audit import about
from controls.models.services import PartyChoice as Party
from controls.models.services import Provider
from controls.models.systems import Partition, partition_of
from controls.provider_names import AWS, provider_slug
from controls.responsibility.decide import redecide, rulings_due
from controls.responsibility.rulings import Line
from controls.retrospect import first_day_of
from evidence.artifacts.register import site_names
from evidence.requirements.from_templates import ask_for_all

REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
RESERVED_SLUGS = frozenset({"new", "add"})


@dataclass(frozen=True)
class Use:
    """A component in use from a day until a day (exclusive; None: still).

    `regions` are sites of a third party; `provided_by` names it, "" for the one that
    goes by the service's own name.
    """

    variant: ServiceVariant
    used_from: dt.date
    used_until: dt.date | None = None
    regions: Sequence[str] = ()
    name: str = ""
    provided_by: str = ""


def require_creator(by: Actor) -> None:
    """Raise NotPermitted unless `by` may describe a new system."""
    if not may_describe_systems(by):
        raise NotPermitted(
            "Only an officer of the installation or an administrator describes a new"
            " system."
        )


@transaction.atomic
def create_system(
    system: System,
    uses: Sequence[Use],
    owners: Mapping[str, Team],
    *,
    by: Actor,
    officer: Any = None,
    asked_from: dt.date | None = None,
    joined: bool = False,
) -> System:
    """Save a new system with its components, classified controls and requirements.

    `owners` names a team by control family; "" is the team of all other families.
    `officer` becomes its compliance officer; the creator where nobody is named.
    Proof is asked for from `asked_from` on, by default from today: the days of the
    window before it are unasked, and no misses (R11). `joined` begins with one ask for
    what the shipped list joins. Raises NotPermitted, ValidationError.
    """
    require_creator(by)
    if not uses:
        raise Refused({"components": "Name at least one component in use."})
    if system.slug in RESERVED_SLUGS:
        raise Refused({"slug": f"“{system.slug}” is reserved: choose another."})
    system.full_clean()
    refuse_longer(system.window_start, system.window_end)
    withdrawn = _withdrawn(system.baseline)
    if withdrawn:
        raise Refused(f"The baseline selects withdrawn controls: {withdrawn}.")
    system.save(force_insert=True)
    Membership.objects.create(
        system=system, user=officer or by, role=Role.OFFICER, starts_at=_since()
    )
    SystemComponent.objects.bulk_create([component_of(system, use) for use in uses])
    _implement(system, owners)
    redecide(system, by=by, reason="System described", before=None)
    since = asked_from or system.day_of(knowledge_now())
    first_day = max(since, system.window_start)
    ask_for_all(system, by=by, since=first_day, joined=joined)
    AuditEvent.objects.append(about(system, "system.created", by=by))
    return system


def _since() -> dt.datetime:
    """Since when the officer holds the role: now, or the clock of an imported past."""
    return min(knowledge_now(), timezone.now())


def _withdrawn(baseline: Baseline) -> str:
    labels = baseline.controls.filter(withdrawn=True).values_list("label", flat=True)
    return ", ".join(labels[:10])


def component_of(system: System, use: Use) -> SystemComponent:
    """The unsaved component. Raises Refused by field."""
    return SystemComponent(
        system=system,
        variant=use.variant,
        name=use.name.strip(),
        regions=regions_for(system, use.variant.service, use.regions),
        provided_by=_third_party(use),
        used_from=use.used_from,
        used_until=use.used_until,
    )


def _third_party(use: Use) -> str:
    """Who provides it. Raises Refused where no third party does, and for AWS."""
    name = use.provided_by.strip()
    if not name:
        return ""
    layers = use.variant.layers.filter(party__in=[Party.THIRD_PARTY, Party.ALL])
    service = use.variant.service
    if service.provider != Provider.THIRD_PARTY and not layers.exists():
        sentence = f"No third party provides {service}."
        raise Refused({"provided_by": sentence})
    slug = provider_slug(name)
    if slug == AWS or not slug:
        sentence = "Name the third party: AWS does not provide this, and its reports"
        raise Refused({"provided_by": f"{sentence} prove nothing of it."})
    return name


def regions_for(system: System, service: Service, regions: Sequence[str]) -> list[str]:
    """Where a use is, each place once: regions of an AWS service that is not global,
    sites of a third party (region codes among them are left out); else nowhere.

    Raises Refused naming the first that is no region code, or that lies in another
    partition than the system: no account of one reaches a region of another.
    """
    if service.provider == Provider.THIRD_PARTY:
        try:
            return site_names([place for place in regions if not REGION.match(place)])
        except Refused as refusal:
            raise Refused({"regions": refusal.messages}) from None
    wrong = [code for code in regions if not REGION.match(code)]
    if wrong:
        sentence = f"“{wrong[0]}” is not a region code such as us-east-1."
        raise Refused({"regions": sentence})
    partition = Partition(system.partition)
    foreign = [code for code in regions if partition_of(code) != partition]
    if foreign:
        sentence = f"Region {foreign[0]} is not in {partition.label}."
        raise Refused({"regions": f"{sentence} The system's partition is that one."})
    regional = service.provider == Provider.AWS and not service.is_global
    return sorted(set(regions)) if regional else []


def _implement(system: System, owners: Mapping[str, Team]) -> None:
    controls = system.baseline.controls.order_by("sort_order")
    controls = controls.only("pk", "family")
    now = timezone.now()  # the database writes its own; a value is written faster
    ControlImplementation.objects.bulk_create(
        [
            ControlImplementation(
                system=system,
                control=control,
                owner_team=owners.get(control.family) or owners.get(""),
                known_from=now,
            )
            for control in controls
        ],
        batch_size=1000,
    )


@transaction.atomic
def add_component(
    system: System, use: Use, *, by: Actor, today: dt.date | None = None
) -> SystemComponent:
    """Take a component into use; classes and requirements follow it.

    The first statement of a component may name an earlier day, not before the
    system's first day; where it was in use before, an earlier day is a change in
    retrospect (`component_days.ask_component`). `today` is the system's day (None: at
    the clock of knowledge). Raises NotPermitted, Refused, ValidationError.
    """
    locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    require_officer(locked, by)
    before = rulings_due(locked)
    component = store_component(locked, use, today or known_today(locked))
    reason = f"{use.variant} in use from {use.used_from}"
    decide_and_ask_anew(locked, by, reason, before=before, today=today)
    AuditEvent.objects.append(about(component, "component.added", by=by))
    return component


def store_component(system: System, use: Use, today: dt.date) -> SystemComponent:
    """The saved component of a locked system, before anything follows it. Raises as
    `add_component`."""
    component = component_of(system, use)
    component.full_clean()
    _refuse_early(system, component)
    if alters_the_past(component, today):
        raise Refused(
            {"used_from": "It was in use before: an earlier day needs a reason."}
        )
    component.save(force_insert=True)
    return component


def _refuse_early(system: System, component: SystemComponent) -> None:
    first = first_day_of(system)
    if system.components.exists() and component.used_from < first:
        raise Refused({"used_from": f"The system's first day is {first}."})


def alters_the_past(component: SystemComponent, today: dt.date) -> bool:
    """Whether taking an unsaved component into use alters what was said of earlier
    days: only where the same component was in use before."""
    same = SystemComponent.objects.filter(
        system=component.system, variant=component.variant, name=component.name
    )
    return component.used_from < today and same.exists()


@transaction.atomic
def end_component(
    component: SystemComponent,
    *,
    last_day: dt.date,
    by: Actor,
    version: int | None = None,
    today: dt.date | None = None,
) -> int:
    """End the use of a component after `last_day`; returns the controls changed.

    `last_day` is at the earliest the day before `today`, the system's day (None: at
    the clock of knowledge): before that it is a change in retrospect
    (`component_days.ask_component`). Raises NotPermitted, Refused, StaleVersion.
    """
    System.objects.select_for_update(of=("self",)).get(pk=component.system_id)
    stored = SystemComponent.objects.select_for_update(of=("self",)).get(
        pk=component.pk
    )
    require_officer(stored.system, by)
    refuse_stale(stored, version)
    before = rulings_due(stored.system)
    store_end(stored, last_day, today or known_today(stored.system))
    reason = f"{stored.variant} in use until {last_day}"
    changed = decide_and_ask_anew(stored.system, by, reason, before=before, today=today)
    AuditEvent.objects.append(
        about(component, "component.ended", by=by, last_day=str(last_day))
    )
    return changed


def store_end(stored: SystemComponent, last_day: dt.date, today: dt.date) -> None:
    """Save the end of a locked component, before anything follows it. Raises as
    `end_component`."""
    if last_day < stored.used_from:
        raise Refused({"last_day": f"It is in use from {stored.used_from} on."})
    until = last_day + dt.timedelta(days=1)
    if min(until, stored.used_until or until) < today:
        raise Refused(
            {
                "last_day": "This alters days before today, so a second officer has to"
                " agree. Ask for it on the system's page and say why."
            }
        )
    stored.used_until = until
    stored.clean_fields()
    stored.validate_constraints()
    stored.version = F("version") + 1
    stored.save(update_fields=["used_until", "version"])


def decide_and_ask_anew(
    system: System,
    by: Actor,
    reason: str,
    change: RetrospectiveChange | None = None,
    *,
    before: Mapping[int, Line],
    today: dt.date | None = None,
) -> int:
    """Classes and requirements as components in use say; returns the controls whose
    class or basis changed on some days. `before`: `rulings_due` before the components
    changed; `today` is the system's day."""
    changed = redecide(
        system, by=by, reason=reason, before=before, change=change, today=today
    )
    ask_for_all(system, by=by, since=system.window_start)
    return changed
