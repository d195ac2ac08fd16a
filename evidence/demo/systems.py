"""The two systems of the demo company, and how far their controls are."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from django.db import transaction

from controls.control_parts import parts_of
from controls.implementation import describe
from controls.implementation_bulk import propose, state_of_many
from controls.models import Baseline, ServiceVariant, System, User
from controls.models.implementations import ControlImplementation
from evidence.demo import company
from evidence.demo.clock import instant_of
from evidence.demo.people import People, Teams, give_roles
from evidence.systems.describe import Use, create_system


def describe_payments(
    people: People, teams: Teams, today: dt.date, start: dt.date
) -> System:
    """A system on servers and many services, under FedRAMP Moderate."""
    uses = _uses(company.PAYMENTS_SERVICES, start, ["us-east-1", "us-west-2"])
    uses += _uses(("staff-devices",), start, [])
    return _describe(
        uses,
        people,
        teams,
        start,
        baseline=Baseline.objects.get(slug="fedramp-moderate"),
        slug="payments",
        name="Payments platform",
        description="Card and account payments for merchants: API, ledger, payouts.",
        regime="fedramp",
        impact_level="moderate",
        time_zone="UTC",
        window_start=today.replace(month=1, day=1),
        window_end=today.replace(month=12, day=31),
    )


def describe_analytics(
    people: People, teams: Teams, today: dt.date, start: dt.date
) -> System:
    """A smaller system without servers, in another zone and under another regime."""
    return _describe(
        [
            *_uses(company.ANALYTICS_SERVICES, start, ["eu-west-1"]),
            *_uses(("colocation-site",), start, [company.CAGE], company.LANDLORD),
            *_uses(("carrier-link",), start, [], company.CARRIER),
        ],
        people,
        teams,
        start,
        baseline=Baseline.objects.get(slug="nist-low"),
        slug="ledger-analytics",
        name="Ledger analytics",
        description=(
            "Reports for finance on exported ledger data; no servers, but a cage with"
            " the line to the exchange."
        ),
        regime="soc2",
        impact_level="low",
        time_zone="Europe/Amsterdam",
        window_start=today.replace(month=1, day=1),
        window_end=today.replace(month=12, day=31),
    )


def _uses(
    slugs: tuple[str, ...], since: dt.date, regions: list[str], provided_by: str = ""
) -> list[Use]:
    variants = ServiceVariant.objects.filter(
        service__slug__in=slugs, is_default=True
    ).select_related("service")
    return [
        Use(variant, since, regions=regions, provided_by=provided_by)
        for variant in variants.order_by("pk")
    ]


def _describe(
    uses: list[Use], people: People, teams: Teams, start: dt.date, **columns: Any
) -> System:
    system = System(**columns)
    owners = {family: teams[slug] for family, slug in company.OWNERS.items()}
    administrator = User.objects.get(email=company.ADMINISTRATOR)
    create_system(
        system,
        uses,
        owners,
        by=administrator,
        officer=people["olivia"],
        asked_from=system.window_start,
    )
    give_roles(system, people, teams, since=instant_of(start, 8))
    return system


def state_controls(
    system: System, people: People, chance: random.Random, day: dt.date
) -> None:
    """Let olivia say how far our halves are, on `day` and from it on.

    A tenth is not implemented fully, and of a few nobody has said anything; the
    control that the README's tour opens is implemented.
    """
    ours = ControlImplementation.objects.filter(
        system=system, responsibility__in=["shared", "customer"]
    ).select_related("control", "owner_team")
    implemented = []
    for implementation in ours.order_by("control__sort_order"):
        draw = chance.random()
        toured = implementation.control.ref_id == company.LAPSED
        if draw > 0.13 or toured:
            implemented.append(implementation.pk)
        elif draw <= 0.1:
            _leave_unfinished(implementation, draw, people, day)
    by = people["olivia"]
    statement: dict[str, Any] = {"status": "implemented", "first_day": day, "by": by}
    with transaction.atomic():
        proposals = propose(system, implemented, today=day, lock=True, **statement)
        state_of_many(proposals, today=day, **statement)


def _leave_unfinished(
    implementation: ControlImplementation, draw: float, people: People, day: dt.date
) -> None:
    parts = [part.statement_id for part in parts_of(implementation.control)]
    only_last_part = draw > 0.05 and bool(parts)
    status = "planned" if draw < 0.03 else "partial"
    describe(
        implementation,
        implementation_status="implemented" if only_last_part else status,
        part_statuses={parts[-1]: "partial"} if only_last_part else {},
        customer_statement=implementation.customer_statement,
        owner_team=implementation.owner_team,
        version=None,
        by=people["olivia"],
        today=day,
    )
