"""What somebody looks for among their asks: state, due day, system, words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

SOON = dt.timedelta(days=14)


@dataclass(frozen=True)
class AskFilter:
    """What somebody looks for; empty means any.

    `due` is `overdue` or `soon` (within SOON, what is overdue included); `query` is
    part of the title or of the label of a control.
    """

    state: str = ""
    due: str = ""
    system: str = ""
    query: str = ""

    @property
    def any(self) -> bool:
        """Whether nothing narrows."""
        return not (self.state or self.due or self.system or self.query)
