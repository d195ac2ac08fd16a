"""Who may do what about systems, their controls and the register of reports.

`may_...` answers, `require_...` raises NotPermitted: pages, the API, lists and notices
ask the same function. A closed account may nothing.
"""

from __future__ import annotations

from typing import Any

from controls.errors import NotPermitted
from controls.models import (
    Actor,
    ControlImplementation,
    InstallationRole,
    InstallationRoleName,
    Role,
    System,
    Team,
)
from controls.models.held_roles import systems_held


def is_officer(user: Actor, system: System) -> bool:
    """Whether a person may do in this system what officers may."""
    if user.is_superuser or not user.is_active:
        return bool(user.is_active)
    held = systems_held(user, [Role.OFFICER])
    if held is not None:
        return system.pk in held
    return bool(System.objects.officered_by(user).filter(pk=system.pk).exists())


def require_officer(system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` is an officer of the system."""
    if not is_officer(by, system):
        raise NotPermitted("Only a compliance officer of this system may do this.")


def may_describe(implementation: ControlImplementation, by: Actor) -> bool:
    """Officers of the system, and contributors of the team that owns the control."""
    if is_officer(by, implementation.system):
        return True
    team = implementation.owner_team_id
    roles = by.memberships.active().filter(system=implementation.system_id)
    return team is not None and bool(
        roles.filter(role=Role.CONTRIBUTOR, team=team).exists()
    )


def may_acknowledge(system: System, team: Team, by: Actor) -> bool:
    """Whether a person contributes for a team in a system: duties are acknowledged by
    those who have them, by nobody in their place."""
    roles = by.memberships.active().filter(system=system, team=team)
    return bool(roles.filter(role=Role.CONTRIBUTOR).exists())


def require_describer(implementation: ControlImplementation, by: Actor) -> None:
    """Raise NotPermitted unless `by` may describe our part."""
    if not may_describe(implementation, by):
        raise NotPermitted("Only an officer or the owner team may describe this.")


def require_second_officer(request: Any, system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` is an officer who did not make the request (R32).

    `request` is any row with a `requested_by`.
    """
    require_officer(system, by)
    if request.requested_by_id == by.pk:
        raise NotPermitted("Somebody other than the requester must approve this.")


def may_decide(request: Any, system: System, by: Actor) -> bool:
    """Whether `by` is an officer who did not make the request (R32)."""
    return request.requested_by_id != by.pk and is_officer(by, system)


def may_withdraw(request: Any, system: System, by: Actor) -> bool:
    """Whether `by` made the request, and is an officer still."""
    return request.requested_by_id == by.pk and is_officer(by, system)


def require_requester(request: Any, system: System, by: Actor) -> None:
    """Raise NotPermitted unless `by` may take the request back."""
    require_officer(system, by)
    if request.requested_by_id != by.pk:
        raise NotPermitted(
            "Only whoever asked for it takes it back; another officer approves or"
            " refuses it."
        )


def is_installation_officer(user: Actor) -> bool:
    """Whether a person is an officer of the installation now."""
    return _holds(user, InstallationRoleName.OFFICER)


def require_installation_officer(by: Actor) -> None:
    """Raise NotPermitted unless `by` may give and end roles of the installation."""
    if not is_installation_officer(by):
        raise NotPermitted(
            "Only an officer of the installation or an administrator may do this."
        )


def may_describe_systems(user: Actor) -> bool:
    """Whether a person may bring a new system, and so become its officer."""
    return is_installation_officer(user)


def may_keep_register(user: Actor) -> bool:
    """Whether a person may change the register of reports, which all systems share."""
    return _holds(user, InstallationRoleName.REGISTRAR)


def _holds(user: Actor, role: InstallationRoleName) -> bool:
    """Superusers, and whoever holds the role of the installation now.

    A role in some system, being staff, or having held the role once is not enough; nor
    is a closed account.
    """
    if user.is_superuser:
        return bool(user.is_active)
    held = InstallationRole.objects.active().filter(user=user.pk, role=role)
    return bool(held.exists())
