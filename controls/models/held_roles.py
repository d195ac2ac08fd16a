"""The roles a person holds now, read once while a page is shown.

Whoever only reads and is over in a moment asks the database once what somebody is in
which system; all that the page shows is chosen by the systems' keys. Whoever changes
something asks each time, in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controls.models.people import User


@dataclass(frozen=True)
class HeldRole:
    """A role in force: keys of its system, its team and its engagement."""

    system: int
    role: str
    team: int | None
    engagement: int | None


RolesRead = dict[Any, Sequence[HeldRole]]  # by the key of a person
# None where each question goes to the database.
_READ: ContextVar[RolesRead | None] = ContextVar("roles_read", default=None)


@contextmanager
def roles_read_once(
    read: RolesRead | None = None,
) -> Iterator[RolesRead]:
    """Inside, the roles of each person are those of the first question.

    Yields what was read, with which a later block may go on: an upload is received in
    parts, and its transaction, which is in none of them, asks the database.
    """
    if read is None:
        read = _READ.get()
    token = _READ.set(kept := {} if read is None else read)
    try:
        yield kept
    finally:
        _READ.reset(token)


def roles_now(user: User) -> Sequence[HeldRole]:
    """What the person is, by the first question of a page; elsewhere now."""
    read = _READ.get()
    if read is None:
        return _held_by(user)
    if user.pk not in read:
        read[user.pk] = _held_by(user)
    return read[user.pk]


def _held_by(user: User) -> tuple[HeldRole, ...]:
    rows = user.memberships.active().order_by("pk")
    columns = rows.values_list("system_id", "role", "team_id", "engagement_id")
    return tuple(HeldRole(*row) for row in columns)


def held_roles(user: User) -> Sequence[HeldRole] | None:
    """The same; None outside of a page, where conditions of statements say it."""
    return None if _READ.get() is None else roles_now(user)


def systems_held(user: User, roles: Collection[str]) -> list[int] | None:
    """Keys of the systems in which the person is one of these; None outside of a
    page."""
    held = held_roles(user)
    if held is None:
        return None
    return sorted({one.system for one in held if one.role in roles})
