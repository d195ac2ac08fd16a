"""The officer's desk: what needs attention, and what there is to do, by noun.

The home of the admin. A constant number of statements, however many systems.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from controls import clock
from controls.access import may_describe_systems, may_keep_register
from controls.grammar import count_of, verb_for
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    Membership,
    Role,
    System,
    SystemComponent,
)
from evidence.admin.controls import NEEDED, without_owner
from evidence.artifacts.citation_decisions import citations_to_decide
from evidence.models import EvidenceRequest, RequirementControl
from evidence.models.requests import UNSETTLED
from evidence.people.roster import approvals_waiting_by_system
from evidence.planning.my_work import exclusions_to_decide, unread_reports

MAX_FAMILIES = 4  # families named beside a number of controls
MAX_CHANGES = 8  # last changes shown


@dataclass(frozen=True)
class Attention:
    """A number with the sentence that it begins, and where to go.

    `mark` is the number, or "!" where the sentence stands alone.
    """

    mark: str
    sentence: str
    hint: str
    url: str
    step: str
    urgent: bool = True


@dataclass(frozen=True)
class Task:
    """Something an officer does, and what there is of it."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Desk:
    """What the home shows a person."""

    systems: Sequence[System]
    attention: Sequence[Attention]
    groups: Sequence[tuple[str, Sequence[Task]]]
    changes: Sequence[AuditEvent]

    @property
    def for_whom(self) -> str:
        """Of which systems it speaks."""
        names = [system.name for system in self.systems]
        if not names:
            return "You are an officer of no system."
        if len(names) > MAX_FAMILIES:
            return f"For officers of {count_of(len(names), 'system')}."
        *others, last = names
        return (
            f"For officers of {', '.join(others)} and {last}."
            if others
            else (f"For officers of {last}.")
        )


def desk_of(user: Actor) -> Desk:
    """The desk of a person who may see the admin."""
    now = clock.now()
    systems = list(System.objects.officered_by(user).order_by("name", "pk"))
    by_key = {system.pk: system for system in systems}
    unowned = _unowned(by_key)
    unread = [one for one in unread_reports(user) if one.system.pk in by_key]
    waiting = len(citations_to_decide(user))
    attention = [
        *_officers_missing(by_key, now),
        *_owners_missing(by_key, unowned),
        *_teams_alone(by_key, now),
    ]
    if unread:
        mine = sum(one.registered_by_me for one in unread)
        attention.append(
            Attention(
                str(len(unread)),
                f"{_word(len(unread), 'report')} of providers nobody has read.",
                f"You registered {mine} of them; somebody else must read those."
                if mine
                else "",
                reverse("evidence:artifacts"),
                "Read and decide",
                urgent=False,
            )
        )
    numbers = {
        "unowned": sum(unowned.values()),
        "unread": len(unread),
        "citations": waiting,
        "exclusions": exclusions_to_decide(user).count(),
    }
    return Desk(
        systems,
        attention,
        _groups(user, by_key, numbers, now),
        list(AuditEvent.objects.visible_to(user).order_by("-at", "-seq")[:MAX_CHANGES]),
    )


def _word(number: int, noun: str) -> str:
    """The noun as it follows the number, without it."""
    return count_of(number, noun).split(" ", 1)[1]


def _list(model: str, **filters: object) -> str:
    """The address of a list of the admin."""
    query = f"?{urlencode(filters)}" if filters else ""
    return f"{reverse(f'admin:{model}_changelist')}{query}"


CONTROLS = "controls_controlimplementation"


def _unowned(systems: Mapping[int, System]) -> Counter[tuple[int, str]]:
    """Controls that need an owner, by system and family."""
    rows = ControlImplementation.objects.filter(without_owner(), system__in=systems)
    named = rows.order_by().values_list("system_id", "control__family")
    return Counter(
        {(system, family): n for system, family, n in named.annotate(n=Count("pk"))}
    )


def _officers_missing(
    systems: Mapping[int, System], now: dt.datetime
) -> list[Attention]:
    held = Membership.objects.active(now).filter(
        system__in=systems, role=Role.OFFICER, user__is_active=True
    )
    pairs = set(held.order_by().values_list("system_id", "user_id"))
    officers = Counter(system for system, _ in pairs)
    short = [key for key in systems if officers[key] < 2]
    waiting = approvals_waiting_by_system(short) if short else Counter[int]()
    return [
        Attention(
            "!",
            f"{systems[key].name} has no {'second ' if officers[key] else ''}officer.",
            f"{count_of(waiting[key], 'approval', 'waits')}." if waiting[key] else "",
            reverse("evidence:people", args=[systems[key].slug]),
            "Invite an officer",
        )
        for key in short
    ]


def _owners_missing(
    systems: Mapping[int, System], unowned: Counter[tuple[int, str]]
) -> list[Attention]:
    by_system: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for (system, family), number in unowned.items():
        by_system[system][family] += number
    rows = []
    for key in sorted(by_system, key=lambda key: systems[key].name):
        families = by_system[key]
        number = families.total()
        named = [f"{n} of family {f.upper()}" for f, n in families.most_common()]
        rest = len(named) - MAX_FAMILIES
        if rest > 0:
            more = count_of(rest, "other family,other families")
            named = [*named[:MAX_FAMILIES], f"the rest of {more}"]
        rows.append(
            Attention(
                str(number),
                f"{_word(number, 'control')} of {systems[key].name}"
                f" {verb_for(number, 'has')} no owner.",
                f"{', '.join(named)}.",
                _list(CONTROLS, owner=NEEDED, system__id__exact=key),
                "Assign owners",
            )
        )
    return rows


def _teams_alone(systems: Mapping[int, System], now: dt.datetime) -> list[Attention]:
    """Teams that own controls, and for which nobody uploads now."""
    owned = ControlImplementation.objects.filter(system__in=systems).exclude(
        owner_team=None
    )
    named = owned.order_by().values_list("system_id", "owner_team_id")
    numbers = {
        (system, team, name): n
        for system, team, name, n in named.annotate(n=Count("pk")).values_list(
            "system_id", "owner_team_id", "owner_team__name", "n"
        )
    }
    held = Membership.objects.active(now).filter(
        system__in=systems, role=Role.CONTRIBUTOR, user__is_active=True
    )
    here = set(held.order_by().values_list("system_id", "team_id"))
    return [
        Attention(
            "!",
            f"Nobody uploads for {name} in {systems[system].name}.",
            f"The team owns {count_of(number, 'control')}.",
            reverse("evidence:people", args=[systems[system].slug]),
            "Bring somebody",
        )
        for (system, team, name), number in sorted(
            numbers.items(), key=lambda item: (systems[item[0][0]].name, item[0][2])
        )
        if (system, team) not in here
    ]


def _groups(
    user: Actor,
    systems: Mapping[int, System],
    numbers: Mapping[str, int],
    now: dt.datetime,
) -> list[tuple[str, list[Task]]]:
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
                Task("Systems", _list("controls_system"), str(len(systems))),
                Task(
                    "Services and components in use",
                    _list("controls_systemcomponent"),
                    str(in_use.count()),
                ),
                Task("Engagements", _list("controls_engagement")),
                Task("Audit windows", reverse("evidence:windows")),
            ],
        ),
        (
            "Controls",
            [
                Task(
                    "Assign owners",
                    _list(CONTROLS, owner=NEEDED),
                    f"{numbers['unowned']} without",
                ),
                Task(
                    "State implementation",
                    _list(CONTROLS, implementation_status__exact="not-stated"),
                    f"{not_stated} not stated",
                ),
                Task(
                    "Mark not applicable",
                    _list(CONTROLS, applicability__exact="applicable"),
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
                    _list("evidence_requirementcontrol"),
                    str(asks),
                ),
                Task("Request evidence", _list(CONTROLS)),
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
                    _list("evidence_citation", standing="waiting"),
                    f"{numbers['citations']} for you",
                ),
                Task(
                    "What reports expect of us",
                    _list("evidence_reportremark"),
                ),
            ],
        ),
        (
            "People",
            [
                Task(
                    "Roles and teams",
                    _list("controls_membership"),
                    count_of(people_number, "person,people"),
                ),
                Task("Invitations", _list("controls_invitation")),
                Task("Teams", _list("controls_team")),
            ],
        ),
        (
            "Reference",
            [
                Task("Controls of the catalog", _list("controls_control")),
                Task("The regime's own numbers", _list("controls_crosswalknumber")),
                Task("Readings of controls", _list("controls_controllayer")),
                Task("Services", _list("controls_service")),
                Task("Audit log", _list("controls_auditevent")),
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
        tasks["People"].append(Task("Accounts", _list("controls_user")))
    return groups
