"""What became otherwise since an engagement's window was closed, for its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from controls.engagement_scope import scope_of_engagement
from controls.models import Engagement
from evidence.engagements.scope import keys_in_scope
from evidence.status.after_closing import (
    ClosedWindow,
    LaterChange,
    by_control,
    closed_windows,
    later_changes,
)
from evidence.status.control_status import now
from evidence.status.rows import Moment


@dataclass(frozen=True)
class AfterClosing:
    """The closed window, and what is otherwise since."""

    closed: ClosedWindow
    changes: Sequence[LaterChange]

    @property
    def by_control(self) -> Mapping[Any, list[LaterChange]]:
        """The changes by the key of their control."""
        return by_control(self.changes)


def after_closing(engagement: Engagement, moment: Moment) -> AfterClosing | None:
    """What is otherwise at the moment; None where the window was not closed by then.

    Only of what is in its scope. Three statements, and five more for a closed window.
    """
    known = replace(moment, known_at=moment.known_at or now())
    window = (engagement.window_start, engagement.window_end)
    of_system = closed_windows(engagement.system_id, known, window)
    closed = [one for one in of_system if one.engagement == engagement.pk]
    if not closed:
        return None
    changes = later_changes(engagement.system_id, known, closed)
    keys = keys_in_scope(engagement, scope_of_engagement(engagement, known.known_at))
    if keys is not None:
        in_scope = {None, *keys}
        changes = [one for one in changes if one.implementation in in_scope]
    return AfterClosing(closed[0], changes)
