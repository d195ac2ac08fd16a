"""What one person did in one go: told as one thing."""

from __future__ import annotations

import datetime as dt

PAUSE = dt.timedelta(minutes=1)  # what follows after a longer one is another act


class Acts:
    """Which rows became so by one act: what one person did without a longer pause.

    Rows of one bulk act bear instants of their own; they come in their order.
    """

    def __init__(self) -> None:
        self._running: dict[object, tuple[dt.datetime, dt.datetime]] = {}

    def begun(self, who: object, at: dt.datetime | None) -> str:
        """When the act began to which what `who` did at an instant belongs."""
        if at is None:
            return ""
        first, last = self._running.get(who, (at, at))
        if at - last > PAUSE:
            first = at
        self._running[who] = first, at
        return first.isoformat()
