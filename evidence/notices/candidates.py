"""What a source of notices yields."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

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
