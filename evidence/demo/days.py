"""What began and ended in the middle of the demo's year: facts that have days."""

from __future__ import annotations

import datetime as dt

from controls.applicability import decide_not_applicable, request_not_applicable
from controls.early_ends import decide_end, request_end
from controls.models import Baseline, ServiceVariant, System, User
from evidence.demo import company
from evidence.demo.clock import DAY, instant_of, written_on
from evidence.demo.people import People, Teams, give_roles
from evidence.systems.component_days import ask_end
from evidence.systems.describe import Use, add_component, create_system

DESCRIBED = 140  # days ago: the payout desk


def describe_payout_desk(people: People, teams: Teams, today: dt.date) -> System:
    """A small system that was described in the middle of its audit window."""
    described = today - DAY * DESCRIBED
    system = System(
        baseline=Baseline.objects.get(slug="nist-low"),
        slug="payout-desk",
        name="Payout desk",
        description="Where the operations team releases payouts by hand.",
        regime="pci",
        impact_level="low",
        time_zone="UTC",
        window_start=today.replace(month=1, day=1),
        window_end=today.replace(month=12, day=31),
    )
    variants = ServiceVariant.objects.filter(
        service__slug__in=company.DESK_SERVICES, is_default=True
    ).order_by("pk")
    uses = [Use(variant, described, regions=["eu-west-1"]) for variant in variants]
    owners = {family: teams[slug] for family, slug in company.OWNERS.items()}
    administrator = User.objects.get(email=company.ADMINISTRATOR)
    with written_on(described, 8):
        create_system(system, uses, owners, by=administrator, officer=people["olivia"])
        give_roles(system, people, teams, since=instant_of(described, 8))
    return system


def play_days(analytics: System, people: People, today: dt.date) -> None:
    """An Outposts from July on, a control left out for a while, and a component whose
    end was entered too late: that waits for a second officer."""
    _add_outposts(analytics, people, today)
    _leave_out_for_a_while(analytics, people, today)
    athena = analytics.components.get(variant__service__slug="athena")
    with written_on(today - DAY * 3, 15):
        ask_end(
            athena,
            last_day=today - DAY * 45,
            reason="Nobody queried it after the move; its end was not entered.",
            by=people["oscar"],
            today=today - DAY * 3,
        )


def _add_outposts(system: System, people: People, today: dt.date) -> None:
    july = today.replace(month=7, day=1)
    if july > today:
        july = july.replace(year=today.year - 1)
    outposts = ServiceVariant.objects.get(service__slug="outposts", is_default=True)
    with written_on(july, 9):
        use = Use(outposts, july, regions=["eu-west-1"], name="Rack in the old hall")
        add_component(system, use, by=people["olivia"])


def _leave_out_for_a_while(system: System, people: People, today: dt.date) -> None:
    """Asked, approved and ended, each by another officer than the one before."""
    control = system.implementations.select_related("system", "control").get(
        control__ref_id="sc-15"
    )
    first, decided, ended = (today - DAY * days for days in (130, 122, 60))
    with written_on(first, 10):
        request = request_not_applicable(
            control,
            justification="The meeting room with its camera was given up.",
            review_by=first + DAY * 365,
            by=people["olivia"],
        )
    with written_on(decided, 10):
        decide_not_applicable(request, approve=True, by=people["oscar"])
    with written_on(ended, 9):
        reason = "A new room with a camera was rented."
        end = request_end(request, reason=reason, by=people["olivia"])
    with written_on(ended, 11):
        decide_end(end, approve=True, by=people["oscar"])
