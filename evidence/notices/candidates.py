"""What a source of notices yields."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from django.urls import reverse

from evidence.models.notices import NoticeKind

RECENT = dt.timedelta(days=14)  # older decisions are no news


@dataclass(frozen=True)
class NoticeCandidate:
    """One thing to tell some people; `key` names it and its stage.

    `parameters` fill the sentence of its kind; `path` is where it is opened; `system`
    is None for what is of no single one.
    """

    kind: NoticeKind
    key: str
    users: frozenset[int]
    system: int | None
    path: str
    parameters: dict[str, str] = field(default_factory=dict)


NOBODYS = UUID(int=0)


@cache
def _address_of(view: str) -> str:
    return reverse(view, args=[NOBODYS])


def path_to(view: str, uuid: UUID) -> str:
    """`reverse` of a view that takes one uuid: for tens of thousands."""
    return _address_of(view).replace(str(NOBODYS), str(uuid))
