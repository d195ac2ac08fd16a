"""An officer's tasks by noun, each with where it is done and how much there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from controls.access import may_describe_systems, may_keep_register
from controls.grammar import count_of
from controls.models import (
    Actor,
    ControlImplementation,
    Membership,
    System,
    SystemComponent,
)
from evidence.admin.controls import NEEDED
from evidence.models import EvidenceRequest, RequirementControl
from evidence.models.requests import UNSETTLED


@dataclass(frozen=True)
class Task:
    """Something an officer does, and what there is of it."""

    name: str
    url: str
    note: str = ""


def list_address(model: str, **filters: object) -> str:
    """The address of a list of the admin."""
    query = f"?{urlencode(filters)}" if filters else ""
    return f"{reverse(f'admin:{model}_changelist')}{query}"


CONTROLS = "controls_controlimplementation"


def task_groups(
    user: Actor,
    systems: Mapping[int, System],
    numbers: Mapping[str, int],
    now: dt.datetime,
) -> list[tuple[str, list[Task]]]:
    """The tasks of a person, by noun, in a constant number of statements.

    `numbers` are what the desk counted already, by name.
    """
    today = now.date()
    running = Q(operates_until=None) | Q(operates_until__gt=today)
    asks = RequirementControl.objects.filter(running, system__in=systems).count()
    theirs = Q(responsibility__in=["inherited", "none"])
    unstated = ControlImplementation.objects.filter(
        ~theirs, implementation_status="not-stated", system__in=systems
    ).exclude(applicability="not-applicable")
    in_use = SystemComponent.objects.filter(system__in=systems, used_until=None)
    requests = EvidenceRequest.objects.filter(system__in=systems, state__in=UNSETTLED)
    people = Membership.objects.active(now).filter(system__in=systems)
    people_number = people.order_by().values("user").distinct().count()
    not_stated = unstated.count()
    first = next(iter(systems.values()), None)
    groups = [
        (
            "Systems",
            [
                Task("Systems", list_address("controls_system"), str(len(systems))),
                Task(
                    "Services and components in use",
                    list_address("controls_systemcomponent"),
                    str(in_use.count()),
                ),
                Task("Engagements", list_address("controls_engagement")),
                Task("Audit windows", reverse("evidence:windows")),
            ],
        ),
        (
            "Controls",
            [
                Task(
                    "Assign owners",
                    list_address(CONTROLS, owner=NEEDED),
                    f"{numbers['unowned']} without",
                ),
                Task(
                    "State implementation",
                    list_address(CONTROLS, implementation_status__exact="not-stated"),
                    f"{not_stated} not stated",
                ),
                Task(
                    "Mark not applicable",
                    list_address(CONTROLS, applicability__exact="applicable"),
                ),
                Task(
                    "Decide on not applicable",
                    reverse("evidence:work"),
                    f"{numbers['exclusions']} for you",
                ),
            ],
        ),
        (
            "Evidence",
            [
                Task(
                    "Asks: cadence, team, controls",
                    list_address("evidence_requirementcontrol"),
                    str(asks),
                ),
                Task("Request evidence", list_address(CONTROLS)),
                Task(
                    "Requests for evidence",
                    reverse("evidence:requests"),
                    f"{requests.count()} open",
                ),
                Task("Review evidence", reverse("evidence:queue")),
            ],
        ),
        (
            "Providers",
            [
                Task(
                    "Read and decide",
                    reverse("evidence:artifacts"),
                    f"{numbers['unread']} unread",
                ),
                Task(
                    "Confirm citations",
                    list_address("evidence_citation", standing="waiting"),
                    f"{numbers['citations']} for you",
                ),
                Task(
                    "What reports expect of us",
                    list_address("evidence_reportremark"),
                ),
            ],
        ),
        (
            "People",
            [
                Task(
                    "Roles and teams",
                    list_address("controls_membership"),
                    count_of(people_number, "person,people"),
                ),
                Task("Invitations", list_address("controls_invitation")),
                Task("Teams", list_address("controls_team")),
            ],
        ),
        (
            "Reference",
            [
                Task("Controls of the catalog", list_address("controls_control")),
                Task(
                    "The regime's own numbers", list_address("controls_crosswalknumber")
                ),
                Task("Readings of controls", list_address("controls_controllayer")),
                Task("Services", list_address("controls_service")),
                Task("Audit log", list_address("controls_auditevent")),
            ],
        ),
    ]
    tasks = dict(groups)
    if may_describe_systems(user):
        tasks["Systems"].insert(0, Task("Add a system", reverse("evidence:system_new")))
        text = Task("Official text of controls", reverse("evidence:control_text"))
        tasks["Reference"].insert(0, text)
    if may_keep_register(user):
        page = reverse("evidence:artifact_new")
        tasks["Providers"].insert(0, Task("Register a report or letter", page))
    if len(systems) == 1 and first is not None:
        page = reverse("evidence:people", args=[first.slug])
        tasks["People"].insert(0, Task("Invite somebody, hand over work", page))
        page = reverse("evidence:what_if", args=[first.slug])
        tasks["Systems"].append(Task("Compare: what if", page))
        page = reverse("evidence:join_asks", args=[first.slug])
        tasks["Evidence"].append(Task("Join asks", page))
    if user.is_superuser:
        tasks["People"].append(Task("Accounts", list_address("controls_user")))
    return groups
