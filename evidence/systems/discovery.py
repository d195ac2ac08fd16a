"""What an account uses against what a system says it uses: seen, then accepted.

Line by line and from one day: what is in use and not in the system comes to it, what is
in the system and was not seen ends. A list may name less than there is, so nothing is
accepted by itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import (
    Actor,
    AuditEvent,
    ServiceVariant,
    System,
    SystemComponent,
)
from controls.models.audit import about
from controls.models.services import Provider
from controls.models.systems import partition_of
from controls.reference.account_uses import AccountUses, ServiceUse
from controls.reference.aws_names import ListedName
from controls.responsibility.decide import rulings_due
from controls.sealed_previews import seal, unseal
from evidence.systems.describe import (
    Use,
    decide_and_ask_anew,
    store_component,
    store_end,
)

SALT = "what an account uses"
AGAIN = "Send the list again."


@dataclass(frozen=True)
class NewUse:
    """A service in use that the system does not name; `regions` of its partition."""

    use: ServiceUse
    regions: tuple[str, ...]


@dataclass(frozen=True)
class OtherRegions:
    """A service of the system that was seen where no use of it is said to be."""

    use: ServiceUse
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Discovery:
    """What was seen against the system on a day; `agreed` is in both."""

    missing: tuple[NewUse, ...]
    unseen: tuple[SystemComponent, ...]
    agreed: tuple[ServiceUse, ...]
    elsewhere: tuple[OtherRegions, ...]
    unknown: tuple[ListedName, ...]


def compare_uses(
    system: System, seen: AccountUses, *, today: dt.date, by: Actor
) -> Discovery:
    """Hold what an account uses against the system's components of `today`.

    Writes nothing. Raises NotPermitted for all but officers, Refused for a list that
    names no service of AWS that we know.
    """
    require_officer(system, by)
    if not seen.uses:
        unknown = ", ".join(name.text for name in seen.unknown[:5])
        sentence = "The list names no service that we know."
        raise Refused(
            {"text": f"{sentence} It says: {unknown}." if unknown else sentence}
        )
    components = [
        component
        for component in _in_use(system, today)
        if component.variant.service.provider == Provider.AWS
    ]
    places: dict[str, set[str]] = {}
    for component in components:
        slug = component.variant.service.slug
        places.setdefault(slug, set()).update(component.regions)
    missing, agreed, elsewhere = [], [], []
    for slug, use in sorted(seen.uses.items()):
        regions = tuple(
            sorted(r for r in use.regions if partition_of(r) == system.partition)
        )
        if slug not in places:
            missing.append(NewUse(use, regions))
            continue
        agreed.append(use)
        others = tuple(sorted(set(regions) - places[slug]))
        if others and not use.service.is_global:
            elsewhere.append(OtherRegions(use, others))
    unseen = [c for c in components if c.variant.service.slug not in seen.uses]
    return Discovery(
        tuple(missing), tuple(unseen), tuple(agreed), tuple(elsewhere), seen.unknown
    )


def _in_use(system: System, today: dt.date) -> list[SystemComponent]:
    rows = system.components.select_related("variant__service").order_by(
        "variant__service__name", "pk"
    )
    return [
        row
        for row in rows
        if row.used_from <= today and (row.used_until is None or row.used_until > today)
    ]


def sealed_discovery(system: System, discovery: Discovery, *, by: Actor) -> str:
    """What was shown, as a text whose lines may be accepted once within an hour."""
    body = {
        "add": {new.use.service.slug: list(new.regions) for new in discovery.missing},
        "end": {str(row.uuid): row.version for row in discovery.unseen},
    }
    return seal(SALT, system.pk, body, by=by)


def accept_discovery(
    system: System,
    token: str,
    *,
    add: Collection[str],
    end: Collection[str],
    from_day: dt.date,
    by: Actor,
    today: dt.date,
) -> int:
    """Take services (slugs) into use from a day on and end components (uuids) before
    it, all or nothing; how many components came or ended.

    Accepted again it is the same answer. Raises NotPermitted, KeyReused for other lines
    of a preview of which some were accepted, Refused for a line that the preview did
    not offer, TransitionNotAllowed when a component changed since or the text is too
    old, and as `add_component` and `end_component`.
    """
    verb = f"accept what the account of system {system.pk} uses"
    chosen = [sorted(add), sorted(end), str(from_day)]
    request = KeyedRequest.of_preview(by, verb, token, chosen=chosen)
    require_officer(system, by)
    with first_use(request) as key:
        if key.answered:
            return int(json.loads(key.body))
        body = unseal(SALT, token, system.pk, by=by, again=AGAIN)
        locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
        require_officer(locked, by)
        if not add and not end:
            raise Refused("Tick at least one line.")
        foreign = sorted((set(add) - set(body["add"])) | (set(end) - set(body["end"])))
        if foreign:
            raise Refused(f"The preview did not offer {', '.join(foreign[:5])}.")
        here = {c.variant.service.slug for c in _in_use(locked, today)}
        if here & set(add):
            raise TransitionNotAllowed(f"The system uses one of them by now. {AGAIN}")
        defaults = ServiceVariant.objects.filter(
            service__slug__in=list(add), is_default=True
        ).select_related("service")
        before = rulings_due(locked)
        added = [
            store_component(
                locked,
                Use(variant, from_day, regions=body["add"][variant.service.slug]),
                today,
            )
            for variant in defaults
        ]
        last_day = from_day - dt.timedelta(days=1)
        ended = _ended(
            locked, {uuid: body["end"][uuid] for uuid in end}, last_day, today
        )
        reason = f"What the account uses from {from_day}"
        decide_and_ask_anew(locked, by, reason, before=before)
        changed = len(added) + len(ended)
        key.answer_with(200, body=json.dumps(changed))
        AuditEvent.objects.append_all(
            [
                *(about(row, "component.added", by=by) for row in added),
                *(
                    about(row, "component.ended", by=by, last_day=str(last_day))
                    for row in ended
                ),
            ]
        )
    return changed


def _ended(
    system: System, versions: dict[str, int], last_day: dt.date, today: dt.date
) -> list[SystemComponent]:
    """The components of a locked system, ended; each as its version was seen."""
    rows = SystemComponent.objects.select_for_update(of=("self",)).filter(
        system=system, uuid__in=list(versions)
    )
    ended = list(rows.select_related("variant", "system").order_by("pk"))
    for row in ended:
        refuse_stale(row, versions[str(row.uuid)])
        store_end(row, last_day, today)
    if len(ended) < len(versions):
        raise TransitionNotAllowed(f"One of the components is gone. {AGAIN}")
    return ended
