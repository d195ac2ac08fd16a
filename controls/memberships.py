"""Roles in a system: given from a day to a day, changed, ended; never deleted.

Given by the officers of the system to others, by an invitation that the person accepts
(`controls.accounts.invitations`). Days are those of the system; both ends count.

One file: every step of a role keeps the same rules about its days and its giver.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import NotPermitted, Refused, SrmError, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    Engagement,
    Membership,
    Role,
    System,
    Team,
    User,
)
from controls.models.audit import Event, about
from controls.models.people import MAX_AUDITOR_GRANT, MembershipQuerySet

TO_ONESELF = "Nobody gives a role to themselves: ask another officer."
CLOSED = "The account of {} is closed: an administrator has to open it first."
NOT_BEGUN = (
    "A role ends after it begins. One that has not begun is ended on the page of its"
    " person."
)
LAST_OFFICER = (
    "Then nobody is an officer of this system: nobody can describe it, approve or give"
    " roles. Invite another officer first, or say why it has to be so."
)
MAX_YEAR = 2200  # of the end of a role, as of all days that are typed
TOO_FAR = f"A role ends in {MAX_YEAR} at the latest. Leave it empty for an open end."
INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class RoleOffer:
    """A role as it is offered: for a team, from a day to a day (None: open end)."""

    role: str
    starts_on: dt.date
    last_day: dt.date | None = None
    team: Team | None = None
    engagement: Engagement | None = None


def refuse_impossible_offer(
    system: System, offer: RoleOffer, *, today: dt.date
) -> None:
    """Raise Refused, by field, for an offer that no person could accept (AC-05)."""
    if offer.starts_on < today:
        raise Refused({"starts_on": "A role begins today or later."})
    if offer.last_day is not None and offer.last_day < offer.starts_on:
        raise Refused({"last_day": "The last day is before the first."})
    if offer.role == Role.CONTRIBUTOR and offer.team is None:
        raise Refused({"team": "Choose the team that a contributor uploads for."})
    if offer.role != Role.AUDITOR:
        if offer.engagement is not None:
            raise Refused({"engagement": "Only auditors belong to an engagement."})
        return
    if offer.engagement is None or offer.engagement.system_id != system.pk:
        raise Refused({"engagement": "Choose the engagement of the auditor."})
    if offer.engagement.ended_at is not None:
        raise Refused({"engagement": "This engagement has ended. Choose another one."})
    if offer.last_day is None:
        raise Refused({"last_day": "An auditor is let in until a set day."})
    first = system.end_of_day(offer.starts_on - dt.timedelta(days=1))
    if system.end_of_day(offer.last_day) > first + MAX_AUDITOR_GRANT:
        raise Refused({"last_day": "An auditor is let in for 90 days at most."})


def held_already(system: System, user: User, offer: RoleOffer, now: dt.datetime) -> str:
    """Until when a person holds the offered role anyway, in words; "" where not."""
    held = system.memberships.filter(
        Q(ends_at=None) | Q(ends_at__gt=now), user=user, role=offer.role
    )
    if offer.role == Role.CONTRIBUTOR:
        held = held.filter(team=offer.team)
    if offer.role == Role.AUDITOR:
        return ""  # another grant may follow; an overlap is refused by the database
    row = held.order_by("starts_at").first()
    if row is None:
        return ""
    if row.ends_at is None:
        return "until further notice"
    return f"until {system.day_of(row.ends_at - INSTANT)}"


def take_role(
    system: System, user: User, offer: RoleOffer, *, given_by: Actor, now: dt.datetime
) -> tuple[Membership, Event]:
    """Let a person hold an offered role, at the earliest from now on.

    Returns the row and its event, to be written last. Raises NotPermitted where
    `given_by` may no longer give it or is the person, and Refused where the person
    holds it at that time already.
    """
    membership = Membership(
        system=system,
        user=user,
        role=offer.role,
        team=offer.team,
        engagement=offer.engagement,
        starts_at=first_instant(system, offer.starts_on, now),
        ends_at=system.end_of_day(offer.last_day) if offer.last_day else None,
    )
    try:
        insert_role(membership, given_by)
    except SrmError:
        raise
    except ValidationError as refusal:  # of the row's own rules
        raise Refused(refusal.messages) from None
    event = about(
        membership,
        "membership.created",
        by=given_by,
        role=offer.role,
        team=offer.team.slug if offer.team else "",
        starts_on=str(offer.starts_on),
        last_day=str(offer.last_day or ""),
    )
    return membership, event


@transaction.atomic
def take_by_group(
    system: System, user: User, offer: RoleOffer, *, group: str, now: dt.datetime
) -> Membership:
    """Let a person hold a role from now on because of a group at the identity provider.

    The configuration gives it, no person. Raises Refused as `take_role` does.
    """
    refuse_impossible_offer(system, offer, today=system.day_of(now))
    membership = Membership(
        system=system, user=user, role=offer.role, team=offer.team, starts_at=now
    )
    try:
        _insert(membership)
    except ValidationError as refusal:  # of the row's own rules
        raise Refused(refusal.messages) from None
    team = offer.team.slug if offer.team else ""
    AuditEvent.objects.append(
        about(
            membership,
            "membership.created",
            by=None,
            role=offer.role,
            team=team,
            group=group,
        )
    )
    return membership


@transaction.atomic
def end_by_group(membership: Membership, *, group: str, now: dt.datetime) -> None:
    """End a role now that a group gave and gives no more; nothing where it has ended.

    The last officer of a system goes as well: the reason is in the event.
    """
    stored = _rows_with_officers(membership)[membership.pk]
    if stored.ends_at is not None and stored.ends_at <= now:
        return
    begins, ends = held_when_ended(stored, now)
    reason = f"No longer in the group {group}."
    _save(stored, begins, ends, by=None, reason=reason)


@transaction.atomic
def give_role_at_once(
    membership: Membership, *, by: Actor, now: dt.datetime
) -> Membership:
    """Insert a role that is given without an invitation, as administrators do.

    `membership` is new; it begins at its own instant, but not before now. Raises as
    `take_role` does, and Refused where it would begin before today.
    """
    system = membership.system
    # its year first: no zone can reckon with the first and the last of the calendar
    if membership.starts_at.year < now.year - 1:
        raise Refused({"starts_at": "A role begins today or later."})
    for instant in (membership.starts_at, membership.ends_at):
        if instant is not None:
            _refuse_far(instant)
    if system.day_of(membership.starts_at) < system.day_of(now):
        raise Refused({"starts_at": "A role begins today or later."})
    membership.starts_at = max(now, membership.starts_at)
    insert_role(membership, by)
    AuditEvent.objects.append(about(membership, "membership.created", by=by))
    return membership


def _refuse_far(instant: dt.datetime) -> None:
    """Raise Refused for an instant that the zone of a system may not reckon with."""
    if instant.year > MAX_YEAR:
        raise Refused({"ends_at": TOO_FAR})


def insert_role(membership: Membership, given_by: Actor) -> None:
    """Insert a role that an officer gives to somebody else, in a transaction.

    Raises NotPermitted, TransitionNotAllowed (its engagement is over), Refused (the
    account is closed) and ValidationError of the row's own rules.
    """
    require_officer(membership.system, given_by)
    if given_by.pk == membership.user_id:
        raise NotPermitted(TO_ONESELF)
    if not membership.user.is_active:
        raise Refused(CLOSED.format(membership.user))
    if membership.engagement_id:
        _refuse_ended_engagement(membership.engagement_id)
    _insert(membership)


def _insert(membership: Membership) -> None:
    membership.full_clean(exclude=["known_from"])
    membership.save(force_insert=True)


def _refuse_ended_engagement(engagement: int) -> None:
    """Raise TransitionNotAllowed where an engagement is over; it waits for an end that
    is being written. Callers are in a transaction."""
    stored = Engagement.objects.select_for_update(of=("self",)).get(pk=engagement)
    if stored.ended_at is not None:
        raise TransitionNotAllowed("This engagement has ended: it lets nobody in.")


def first_instant(system: System, day: dt.date, now: dt.datetime) -> dt.datetime:
    """When a role of that first day begins: with the day, but not before now."""
    return max(now, system.end_of_day(day - dt.timedelta(days=1)))


@transaction.atomic
def change_days(
    membership: Membership,
    *,
    last_day: dt.date | None,
    by: Actor,
    now: dt.datetime,
    starts_on: dt.date | None = None,
    reason: str = "",
    version: int | None = None,
) -> Membership:
    """Let a role end with another day (None: open end), or begin on another.

    It begins on another day only where it has not begun. Raises NotPermitted (no
    officer; one's own role made longer), TransitionNotAllowed (it has ended),
    StaleVersion, Refused by field (a day gone by; the last officer without a reason).
    """
    stored = _locked(membership, by)
    refuse_stale(stored, version)
    _refuse_ended(stored, now)
    system = stored.system
    today = system.day_of(now)
    if last_day is not None and last_day < today:
        raise Refused({"last_day": "A role ends today or later, never before."})
    begins = stored.starts_at
    if starts_on is not None and starts_on != system.day_of(begins):
        if begins <= now:
            raise Refused({"starts_on": "The role has begun: its first day stays."})
        if starts_on < today:
            raise Refused({"starts_on": "A role begins today or later."})
        begins = first_instant(system, starts_on, now)
    ends = system.end_of_day(last_day) if last_day is not None else None
    if ends is not None and ends <= begins:
        raise Refused({"last_day": "The last day is before the first."})
    return _save(stored, begins, ends, by=by, reason=reason)


@transaction.atomic
def change_end(
    membership: Membership,
    *,
    ends_at: dt.datetime | None,
    by: Actor,
    now: dt.datetime,
    reason: str = "",
    version: int | None = None,
) -> Membership:
    """Let a role end at another instant, exclusive (None: open end).

    An instant of today that is gone by means now. Raises as `change_days` does.
    """
    stored = _locked(membership, by)
    refuse_stale(stored, version)
    _refuse_ended(stored, now)
    ends = ends_at
    if ends is not None:
        _refuse_far(ends)
        if stored.system.day_of(ends) < stored.system.day_of(now):
            raise Refused({"ends_at": "A role ends today or later, never before."})
        ends = max(now, ends)
        if ends <= stored.starts_at:
            raise Refused({"ends_at": NOT_BEGUN})
    return _save(stored, stored.starts_at, ends, by=by, reason=reason)


@transaction.atomic
def end_membership(
    membership: Membership,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str = "",
    version: int | None = None,
) -> Membership:
    """End a role now; one that has not begun never does. Raises as `change_days`."""
    stored = _locked(membership, by)
    refuse_stale(stored, version)
    _refuse_ended(stored, now)
    begins, ends = held_when_ended(stored, now)
    return _save(stored, begins, ends, by=by, reason=reason)


def held_when_ended(
    stored: Membership, now: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """From when on and until when a role is held that is ended now.

    One that has not begun never does: an instant is left of it, the first at which the
    person holds no such role, so that none that is given later runs into it.
    """
    if stored.starts_at <= now:
        return stored.starts_at, max(now, stored.starts_at + INSTANT)
    begins = now + INSTANT
    for other in _same_roles(stored).filter(ends_at__gt=begins).order_by("starts_at"):
        if other.starts_at >= begins + INSTANT:
            break
        assert other.ends_at is not None
        begins = other.ends_at
    return begins, begins + INSTANT


def _same_roles(stored: Membership) -> MembershipQuerySet:
    """The person's other roles beside which the database takes it at no time."""
    rows = Membership.objects.filter(
        system=stored.system_id, user=stored.user_id, role=stored.role
    ).exclude(pk=stored.pk)
    return rows.filter(team=stored.team_id) if stored.role != Role.AUDITOR else rows


def _locked(membership: Membership, by: Actor) -> Membership:
    """The row under a lock, for an officer of its system."""
    stored = _rows_with_officers(membership)[membership.pk]
    require_officer(stored.system, by)
    return stored


def _rows_with_officers(membership: Membership) -> dict[int, Membership]:
    """The row under a lock, and with it those of all officers, in one order: two who
    end each other's role wait here."""
    rows = Membership.objects.select_for_update(of=("self",)).select_related(
        "system", "user", "team"
    )
    both = Q(pk=membership.pk) | Q(system=membership.system_id, role=Role.OFFICER)
    return {row.pk: row for row in rows.filter(both).order_by("pk")}


def _refuse_ended(stored: Membership, now: dt.datetime) -> None:
    if stored.ends_at is not None and stored.ends_at <= now:
        raise TransitionNotAllowed("This role has ended. Invite the person again.")


def _longer(stored: Membership, ends: dt.datetime | None) -> bool:
    if stored.ends_at is None:
        return False
    return ends is None or ends > stored.ends_at


def _save(
    stored: Membership,
    begins: dt.datetime,
    ends: dt.datetime | None,
    *,
    by: Actor | None,
    reason: str,
) -> Membership:
    own = by is not None and stored.user_id == by.pk
    never = ends is not None and ends <= begins + INSTANT
    earlier = begins < stored.starts_at and not never
    if own and (earlier or _longer(stored, ends)):
        raise NotPermitted(TO_ONESELF)
    last = stored.role == Role.OFFICER and ends and not _other_officer(stored, ends)
    if last and not reason.strip():
        raise Refused({"reason": LAST_OFFICER})
    before = {"starts_at": str(stored.starts_at), "ends_at": str(stored.ends_at or "")}
    stored.starts_at, stored.ends_at = begins, ends
    try:
        stored.validate_constraints()
    except ValidationError as refusal:
        raise Refused(refusal.messages) from None
    stored.version = F("version") + 1
    stored.save(update_fields=["starts_at", "ends_at", "version"])
    stored.refresh_from_db(fields=["version", "starts_at", "ends_at"])
    body = {"before": before, "ends_at": ends.isoformat() if ends else ""}
    if reason.strip():
        body["reason"] = reason.strip()
    AuditEvent.objects.append(about(stored, "membership.changed", by=by, **body))
    return stored


def _other_officer(leaving: Membership, at: dt.datetime) -> bool:
    """Whether somebody else is an officer of the system at that instant."""
    officers = Membership.objects.active(at).filter(
        system=leaving.system_id, role=Role.OFFICER
    )
    return bool(officers.exclude(user=leaving.user_id).exists())
