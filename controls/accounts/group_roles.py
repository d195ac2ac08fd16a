"""Groups at the identity provider give roles, by configuration, at each sign-in.

They are given and ended by the rules of the page People, with its events, in which the
configuration stands for the officer who gives. What people gave is left alone.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Collection, Iterable
from typing import Protocol

from django.db import transaction
from django.db.models import Q

from controls.errors import SrmError
from controls.memberships import RoleOffer, end_by_group, held_already, take_by_group
from controls.models import GroupRole, Membership, System, Team, User

log = logging.getLogger("srm.sign_on")


class Grant(Protocol):
    """Whoever is in `group` holds `role` in a system, for a team where it has one."""

    @property
    def group(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def team(self) -> str: ...


@transaction.atomic
def follow_groups(
    user: User, groups: Collection[str], grants: Iterable[Grant], *, now: dt.datetime
) -> None:
    """Give what the groups give and end what groups gave before and give no more.

    A grant that is not possible (no such system, a role that the person may not hold
    beside another) is left out, and said in the log.
    """
    person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    grants = list(grants)
    due = {
        (grant.system, grant.role, grant.team): grant.group
        for grant in grants
        if grant.group in groups
    }
    kept = _end_what_is_over(person, due, now)
    for key, group in due.items():
        if key not in kept:
            _give(person, key, group, now)


Key = tuple[str, str, str]


def _end_what_is_over(person: User, due: Collection[Key], now: dt.datetime) -> set[Key]:
    """What groups gave and give still, by slugs."""
    rows = Membership.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=now), user=person, group_role__isnull=False
    )
    kept = set()
    for membership in rows.select_related("system", "team", "group_role"):
        team = membership.team.slug if membership.team else ""
        key = (membership.system.slug, membership.role, team)
        if key in due:
            kept.add(key)
        else:
            end_by_group(membership, group=membership.group_role.group, now=now)
    return kept


def _give(person: User, key: Key, group: str, now: dt.datetime) -> None:
    slug, role, team_slug = key
    system = System.objects.filter(slug=slug).first()
    team = Team.objects.filter(slug=team_slug).first() if team_slug else None
    if system is None or (team_slug and team is None):
        log.warning("The group %s gives a role in %s, which is not there.", group, slug)
        return
    offer = RoleOffer(role=role, starts_on=system.day_of(now), team=team)
    if held_already(system, person, offer, now):
        return  # by a person, who may end it
    try:
        with transaction.atomic():
            membership = take_by_group(system, person, offer, group=group, now=now)
            GroupRole.objects.create(membership=membership, group=group)
    except SrmError as refusal:
        why = " ".join(refusal.messages)
        log.warning("The group %s gives %s no role in %s: %s", group, person, slug, why)
