"""Requests as views get them: of somebody who is signed in."""

from __future__ import annotations

from typing import Any, Protocol, cast

from django.http import HttpRequest

from controls.models import Actor


class SignedInRequest(HttpRequest):
    """A request behind the sign-in; its user is never anonymous."""

    user: Actor
    clocks_query: str  # of a page that is about a day


class HasUser(Protocol):
    """A request of Django, its admin or the REST framework."""

    @property
    def user(self) -> Any:
        """Whoever the sign-in let in."""


def actor_of(request: HasUser) -> Actor:
    """The person whom a request is of, where only people who are signed in come."""
    return cast(Actor, request.user)
