"""What waits for somebody whose role ends, and handing it over in one act.

Asks and controls belong to teams, never to a person: they are left alone only where
the team has nobody else who uploads for it. Requests may be addressed to a person.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import Refused, StaleVersion
from controls.memberships import RoleOffer, held_already, take_role
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    Membership,
    Role,
    System,
    Team,
    User,
)
from controls.models.audit import Event, about
from evidence.models import EvidenceLink, EvidenceRequest, RequirementControl
from evidence.models.link_queries import LinkState
from evidence.models.requests import UNANSWERED

SystemTeam = tuple[int, int]  # keys of a system and of a team
STALE = "Something changed since this was shown. Look at it again."


@dataclass(frozen=True)
class TeamWork:
    """A team that has nobody left, with how much it is asked and how much it owns."""

    team: Team
    asks: int
    controls: int


@dataclass(frozen=True)
class OpenWork:
    """What waits for one person in one system."""

    drafts: list[EvidenceLink] = field(default_factory=list)
    waiting: list[EvidenceLink] = field(default_factory=list)
    requests: list[EvidenceRequest] = field(default_factory=list)
    teams: list[TeamWork] = field(default_factory=list)

    @property
    def to_hand_over(self) -> int:
        """How much stays with nobody unless it is handed over."""
        asks = sum(work.asks or work.controls for work in self.teams)
        return len(self.requests) + asks

    def __bool__(self) -> bool:
        return bool(self.drafts or self.waiting or self.requests or self.teams)


@dataclass(frozen=True)
class HandOver:
    """What handing over does: who gets what. Shown before, and done as shown."""

    to: User
    requests: list[EvidenceRequest]
    teams: list[TeamWork]
    starts_on: dt.date

    @property
    def roles(self) -> list[TeamWork]:
        """The teams that the person becomes a contributor of."""
        return self.teams

    @property
    def digest(self) -> str:
        """Who gets which team and which request, in 64 characters: another digest is
        another hand-over."""
        teams = sorted(str(work.team.pk) for work in self.teams)
        requests = sorted(str(request.uuid) for request in self.requests)
        text = "|".join([str(self.to.uuid), *teams, *requests])
        return hashlib.sha256(text.encode()).hexdigest()


def open_work(membership: Membership) -> OpenWork:
    """What waits for the person of a role, in the system of that role."""
    system, person = membership.system, membership.user
    links = EvidenceLink.objects.filter(
        Q(submitted_by=person) | Q(revision__collected_by=person),
        system=system,
        state__in=[LinkState.DRAFT, LinkState.SUBMITTED],
    )
    related = ("revision__evidence", "implementation__control")
    rows = list(links.select_related(*related).order_by("pk"))
    return OpenWork(
        drafts=[row for row in rows if row.state == LinkState.DRAFT],
        waiting=[row for row in rows if row.state == LinkState.SUBMITTED],
        requests=_addressed_to(system, person),
        teams=left_alone(system, [membership]),
    )


def _addressed_to(system: System, person: User) -> list[EvidenceRequest]:
    requests = EvidenceRequest.objects.filter(
        system=system, person=person, state__in=UNANSWERED
    )
    return list(requests.select_related("system", "team").order_by("due_on", "pk"))


def left_alone(system: System, leaving: Iterable[Membership]) -> list[TeamWork]:
    """Teams of these roles that nobody else uploads for without an end, with their
    asks in operation and the controls they own. Three statements."""
    going = {row.pk for row in leaving if row.role == Role.CONTRIBUTOR}
    teams = {row.team_id for row in leaving if row.pk in going}
    stay = Membership.objects.filter(
        system=system,
        role=Role.CONTRIBUTOR,
        team__in=teams,
        ends_at=None,
        user__is_active=True,
    ).exclude(pk__in=going)
    alone = teams - set(stay.values_list("team_id", flat=True))
    return _work_of(system, alone) if alone else []


def without_people(
    systems: Collection[int], now: dt.datetime
) -> dict[int, list[TeamWork]]:
    """By the key of a system, teams that own controls or are asked there, and for which
    nobody uploads now. Six statements at most, whatever the number of systems."""
    present = Membership.objects.active(now).filter(
        system__in=systems, role=Role.CONTRIBUTOR
    )
    owning = ControlImplementation.objects.filter(system__in=systems)
    asks = RequirementControl.objects.filter(system__in=systems, operates_until=None)
    named: set[SystemTeam] = set()
    for rows in (owning, asks):
        owned = rows.exclude(owner_team=None).order_by()
        named |= set(owned.values_list("system_id", "owner_team_id").distinct())
    here = set(present.order_by().values_list("system_id", "team_id"))
    return _work_of_teams(named - here)


def _work_of(system: System, teams: Iterable[int | None]) -> list[TeamWork]:
    pairs = {(system.pk, team) for team in teams if team is not None}
    return _work_of_teams(pairs).get(system.pk, [])


def _work_of_teams(pairs: Collection[SystemTeam]) -> dict[int, list[TeamWork]]:
    """What the teams of each system are asked and own, by name. Three statements."""
    if not pairs:
        return {}
    systems, keys = ({pair[at] for pair in pairs} for at in (0, 1))
    rows = RequirementControl.objects.filter(system__in=systems, operates_until=None)
    owned = rows.annotate(
        team_of=Coalesce("owner_team_id", "implementation__owner_team_id"),
        ask_of=Coalesce("joined_id", "ask_id"),
    ).filter(team_of__in=keys)
    of_teams = owned.order_by().values_list("system_id", "team_of", "ask_of").distinct()
    asks = Counter((system, team) for system, team, _ in set(of_teams))
    controls = Counter(
        ControlImplementation.objects.filter(system__in=systems, owner_team__in=keys)
        .order_by()
        .values_list("system_id", "owner_team_id")
    )
    work: defaultdict[int, list[TeamWork]] = defaultdict(list)
    for team in Team.objects.filter(pk__in=keys).order_by("name"):
        for system in systems:
            pair = (system, team.pk)
            if pair in pairs:
                work[system].append(TeamWork(team, asks[pair], controls[pair]))
    return work


def plan_hand_over(
    membership: Membership, to: User, *, by: Actor, now: dt.datetime
) -> HandOver:
    """What handing the open work of a role to `to` would do; nothing is changed.

    Raises NotPermitted (no officer), Refused (nothing to hand over; `to` is the
    person, no member of the system or its auditor, who only reads (AC-06); an officer
    who would give a role to themselves).
    """
    system = membership.system
    require_officer(system, by)
    work = open_work(membership)
    if not work.requests and not work.teams:
        raise Refused("Nothing waits for this person alone.")
    here = Membership.objects.active(now).filter(system=system, user=to)
    if to.pk == membership.user_id or not here.exists():
        raise Refused({"to": "Choose somebody else who holds a role in this system."})
    if here.filter(role=Role.AUDITOR).exists():
        raise Refused(
            {"to": f"{to} audits this system, and only reads. Choose somebody else."}
        )
    uploads = here.filter(role=Role.CONTRIBUTOR)
    own_teams = set(uploads.values_list("team_id", flat=True))
    teams = [row for row in work.teams if row.team.pk not in own_teams]
    if work.requests and not own_teams and not teams:
        # Requests are answered by contributors: of the team that the first is asked of.
        teams = _work_of(system, [work.requests[0].team_id])
    if teams and to.pk == by.pk:
        raise Refused(
            {
                "to": "Choose somebody else: this gives the role of a contributor, and"
                " nobody gives a role to themselves."
            }
        )
    plan = HandOver(to, work.requests, teams, system.day_of(now))
    _refuse_held(plan, work, system, now)
    return plan


def _refuse_held(
    plan: HandOver, work: OpenWork, system: System, now: dt.datetime
) -> None:
    """Raise Refused where the person has the role of a team to a day, or from a day
    on: its days are changed, no second one is given."""
    teams = plan.teams or ([] if plan.requests else work.teams)
    for one in teams:
        offer = RoleOffer(Role.CONTRIBUTOR, plan.starts_on, team=one.team)
        until = held_already(system, plan.to, offer, now)
        if until:
            raise Refused(
                {
                    "to": f"{plan.to} has a role for {one.team} already, {until}."
                    " Change the days of that role instead."
                }
            )


@transaction.atomic
def hand_over(
    membership: Membership,
    to: User,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
    shown: str | None = None,
) -> HandOver:
    """Do what `plan_hand_over` shows: `to` becomes contributor of the teams that would
    have nobody, and the requests are addressed to `to`.

    `version` is the one of the role that the caller has seen, `shown` the digest of the
    plan. Raises as `plan_hand_over` does, and StaleVersion.
    """
    system = System.objects.select_for_update(of=("self",)).get(pk=membership.system_id)
    stored = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("system", "user")
        .get(pk=membership.pk)
    )
    refuse_stale(stored, version)
    plan = plan_hand_over(stored, to, by=by, now=now)
    if shown is not None and shown != plan.digest:
        raise StaleVersion(STALE)
    events: list[Event] = []
    for work in plan.teams:
        offer = RoleOffer(Role.CONTRIBUTOR, plan.starts_on, team=work.team)
        _, event = take_role(system, to, offer, given_by=by, now=now)
        events.append(event)
    for request in plan.requests:
        locked = EvidenceRequest.objects.select_for_update(of=("self",)).get(
            pk=request.pk
        )
        if locked.state not in UNANSWERED or locked.person_id != stored.user_id:
            raise StaleVersion(STALE)
        locked.person, locked.version = to, F("version") + 1
        locked.save(update_fields=["person", "version"])
        before = str(stored.user.uuid)
        events.append(
            about(locked, "request.readdressed", by=by, before=before, to=str(to.uuid))
        )
    events.append(
        about(
            stored,
            "membership.handed-over",
            by=by,
            to=str(to.uuid),
            teams=[work.team.slug for work in plan.teams],
            requests=[str(request.uuid) for request in plan.requests],
        )
    )
    AuditEvent.objects.append_all(events)
    return plan
