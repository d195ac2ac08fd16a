"""The wall clock of the doors: pages, API, commands and scheduled tasks.

Nothing below them looks at it: the day or the instant is passed. Since when something
is known is told by the database (`controls.history.clock`).
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def now() -> dt.datetime:
    """This instant, with a time zone."""
    return timezone.now()


def today() -> dt.date:
    """The calendar day in the installation's time zone; systems have days of their own
    (`System.day_of`)."""
    return timezone.localdate(now())
