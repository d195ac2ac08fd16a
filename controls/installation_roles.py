"""Roles of the installation: given and ended, each by somebody who may (R24).

Officers describe new systems and give these roles, registrars keep the register of
reports. The first officer is made by `manage.py create_officer`.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from controls.access import require_installation_officer
from controls.errors import NotPermitted, Refused, StaleVersion, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    InstallationRole,
    InstallationRoleName,
    User,
)
from controls.models.audit import about

OFFICER = InstallationRoleName.OFFICER
TO_ONESELF = "Nobody gives a role to themselves, or makes their own longer."


@transaction.atomic
def give_role(
    user: User,
    role: str,
    *,
    by: Actor,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
) -> InstallationRole:
    """Give a person a role of the installation, from now or `starts_at` on.

    `ends_at` is exclusive; None is until further notice. Raises NotPermitted,
    ValidationError (a closed account, the same role at the same time).
    """
    require_installation_officer(by)
    if user.pk == by.pk:
        raise NotPermitted(TO_ONESELF)
    return _save_role(user, role, starts_at=starts_at, ends_at=ends_at, by=by)


@transaction.atomic
def make_first_roles(user: User, *roles: str) -> list[InstallationRole]:
    """Give roles by command: whoever runs it has the database anyway.

    The events name no actor. Raises ValidationError as `give_role` does.
    """
    return [
        _save_role(user, role, starts_at=None, ends_at=None, by=None) for role in roles
    ]


def _save_role(
    user: User,
    role: str,
    *,
    starts_at: dt.datetime | None,
    ends_at: dt.datetime | None,
    by: Actor | None,
) -> InstallationRole:
    # Holding the account: two who give the same at once are told so by validation.
    person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not person.is_active:
        raise Refused({"user": "This account is closed."})
    now = timezone.now()
    installation_role = InstallationRole(
        user=person,
        role=role,
        given_by=by,
        starts_at=max(starts_at or now, now),
        ends_at=ends_at,
    )
    installation_role.full_clean()
    installation_role.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            installation_role,
            "installation-role.given",
            by=by,
            user=str(person.uuid),
            role=role,
            starts_at=installation_role.starts_at.isoformat(),
            ends_at=ends_at.isoformat() if ends_at else "",
        )
    )
    return installation_role


@transaction.atomic
def end_role(
    installation_role: InstallationRole,
    *,
    by: Actor,
    at: dt.datetime | None = None,
    version: int | None = None,
) -> InstallationRole:
    """End a role now or at a later instant (exclusive); returns the row as stored.

    Raises NotPermitted (also for one's own made longer), TransitionNotAllowed (it has
    ended), StaleVersion, and Refused for an end in the past or one that leaves the
    installation without an officer.
    """
    require_installation_officer(by)
    # In one order, all that are officers: two who end each other's role wait here.
    rows = InstallationRole.objects.select_for_update(of=("self",)).order_by("pk")
    locked = {
        row.pk: row for row in rows.filter(Q(pk=installation_role.pk) | Q(role=OFFICER))
    }
    stored, now = locked[installation_role.pk], timezone.now()
    end = max(at or now, stored.starts_at + dt.timedelta(microseconds=1))
    if stored.ends_at is not None and stored.ends_at <= now:
        raise TransitionNotAllowed("This role has ended.")
    if version is not None and version != stored.version:
        raise StaleVersion("This role changed since you opened it. Look again.")
    longer = stored.ends_at is not None and end > stored.ends_at
    if longer and stored.user_id == by.pk:
        raise NotPermitted(TO_ONESELF)
    if at is not None and at < now:
        raise Refused({"ends_at": "A role ends now or later, never before."})
    if stored.role == OFFICER and not _other_officer(stored, end):
        raise Refused(
            "The installation keeps at least one officer: give the role to somebody"
            " else first."
        )
    stored.ends_at = end
    stored.validate_constraints()
    stored.version = F("version") + 1
    stored.save(update_fields=["ends_at", "version"])
    stored.refresh_from_db()
    AuditEvent.objects.append(
        about(
            stored,
            "installation-role.ended",
            by=by,
            user=str(stored.user.uuid),
            role=stored.role,
            ends_at=end.isoformat(),
        )
    )
    return stored


def _other_officer(leaving: InstallationRole, at: dt.datetime) -> bool:
    """Whether somebody else is an officer of the installation from then on."""
    officers = InstallationRole.objects.active(at).filter(role=OFFICER)
    return bool(officers.exclude(user=leaving.user_id).exists())


def officer_needed() -> bool:
    """Whether nobody can describe a first system: no officer and no superuser."""
    officers = InstallationRole.objects.active().filter(role=OFFICER)
    if officers.exists():
        return False
    return not User.objects.filter(is_superuser=True, is_active=True).exists()
