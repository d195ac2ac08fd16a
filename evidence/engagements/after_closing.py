"""What became otherwise since an engagement's window was closed, for its pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from controls.models import Actor, Engagement, Role, System
from evidence.status.after_closing import (
    ClosedWindow,
    LaterChange,
    by_control,
    closed_windows,
    later_changes,
)
from evidence.status.clock_parameters import Window
from evidence.status.control_status import now
from evidence.status.rows import Moment

READ_ALL = [Role.OFFICER, Role.AUDITOR]


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
    return AfterClosing(closed[0], changes)


def later_of_controls(
    system: System, moment: Moment, window: Window, *, reader: Actor
) -> Mapping[Any, list[LaterChange]]:
    """What became otherwise of each control, by its key, since windows that share days
    with `window` were closed.

    What a change says is for officers and auditors; others read that there is one. One
    statement where no window was closed; as `after_closing` for each that was.
    """
    known = replace(moment, known_at=moment.known_at or now())
    closed = closed_windows(system.pk, known, window)
    if not closed:
        return {}
    changes = later_changes(system.pk, known, closed)
    if not System.objects.held_as(reader, READ_ALL).filter(pk=system.pk).exists():
        changes = [replace(change, text="") for change in changes]
    return by_control(changes)
