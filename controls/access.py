"""Who may decide about a system."""

from __future__ import annotations

from controls.errors import NotPermitted
from controls.models import Actor, Membership, Role, System


def is_officer(user: Actor, system: System) -> bool:
    """Whether a person may do in this system what officers may."""
    if user.is_superuser:
        return True
    held = System.objects.held_as(user, [Role.OFFICER])
    return bool(held.filter(pk=system.pk).exists())


def require_officer(system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` is an officer of the system."""
    if not is_officer(by, system):
        raise NotPermitted("Only a compliance officer of this system may do this.")


def may_describe_systems(user: Actor) -> bool:
    """Whether a person may bring a new system, and so become its officer."""
    return _is_officer_anywhere(user)


def may_keep_register(user: Actor) -> bool:
    """Whether a person may change the register of reports, which all systems share."""
    return _is_officer_anywhere(user)


def _is_officer_anywhere(user: Actor) -> bool:
    """Superusers, and whoever is a compliance officer of some system now.

    Being staff, or having held a role once, is not enough; nor is a closed account.
    """
    if user.is_superuser:
        return bool(user.is_active)
    held = Membership.objects.active().filter(user=user.pk, role=Role.OFFICER)
    return bool(held.exists())
