"""What a source finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from evidence.models.notices import NoticeKind


@dataclass(frozen=True)
class NoticeCandidate:
    """One thing to tell some people; `key` names it and its stage."""

    kind: NoticeKind
    key: str
    users: frozenset[int]
    system: int
    path: str
    said: dict[str, str] = field(default_factory=dict)
