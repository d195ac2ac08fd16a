"""What a file is about: system, both clocks, window, and which controls of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.db import connection, transaction

from controls.errors import Refused, SrmError
from controls.history.clock import wait_for_older_writers
from controls.models import Actor, System
from evidence.engagements.marks_then import keys_marked
from evidence.engagements.scope import refuse_unrecorded_audit, rows_of_audit
from evidence.status.clock_parameters import Window
from evidence.status.control_filter import keys_matching
from evidence.status.control_status import (
    ControlStatus,
    control_statuses,
    listed,
    now,
    refuse_unrecorded,
    refuse_window,
    window_of,
)
from evidence.status.gather import Moment

# What narrows the list of controls, by the names of its page; `mark` is of the table of
# an audit: the engagement's uuid, a colon, and a state. `engagement` is the uuid of the
# audit whose scope it is.
FILTERS = (
    "engagement", "q", "family", "responsibility", "verdict", "status", "team",
    "number", "mark",
)  # fmt: skip
NO_CONTROL = "No control of the system is in this view. Change or leave out its filter."
NOT_COME_YET = "That day has not come yet. Ask about today or an earlier day."
# How many rows of the file are written, and how many there are.
Progress = Callable[[int, int], None]


class NotWhole(SrmError):
    """Something that belongs into the file is not as recorded, so no file is made.

    The sentence names it. Trying again is of no use before somebody looked.
    """

    status_code = 409


class ProcessEnded(SrmError):
    """A process that wrote a part of the file was ended. Another try may succeed."""

    status_code = 503


@dataclass(frozen=True)
class ExportScope:
    """What somebody asked a file about. `moment.known_at` is always an instant.

    `filters` are those of the page of controls; what is not named is any. `reader` is
    who will have the file; None: whoever runs commands here, an officer's equal.
    `judged` are its controls over the window, where somebody writes several files of
    one scope: see `gathered`. Into `reports` goes which files of held reports (keys) a
    package holds; None: it may hold none.
    """

    system: System
    moment: Moment
    window: Window
    filters: Mapping[str, str] = field(default_factory=dict)
    reader: Actor | None = None
    judged: Sequence[ControlStatus] | None = field(
        default=None, compare=False, repr=False
    )
    reports: list[int] | None = field(default=None, compare=False, repr=False)

    @property
    def known_at(self) -> dt.datetime:
        """The instant before which all that it knows was recorded."""
        if self.moment.known_at is None:
            raise ValueError("A scope without an instant cannot be asked for again.")
        return self.moment.known_at

    def keys(self) -> list[int] | None:
        """The keys of the controls the filters mean; None for all of the system."""
        if not self.filters:
            return None
        if self.judged is not None:
            return [answer.implementation["id"] for answer in self.judged]
        rows = listed(self.system, self.moment)
        if engagement := self.filters.get("engagement"):
            rows = rows_of_audit(rows, engagement, self.known_at)
        keys = keys_matching(self.system, self.moment, rows, self.filters, self.window)
        mark = self.filters.get("mark")
        return keys_marked(keys, mark, self.known_at) if mark else keys

    def answers(self, *, over_window: bool = True) -> Sequence[ControlStatus]:
        """Its controls judged on the day and over the window, in catalog order.

        Without `over_window` the result over it may be missing, which is a third of
        the work.
        """
        if self.judged is not None:
            return self.judged
        window = self.window if over_window else None
        return control_statuses(
            self.system, self.moment, pks=self.keys(), window=window
        )

    def gathered(self) -> ExportScope:
        """The same scope that holds its judged controls in memory: however many files
        are written of it, the system is judged once. For one snapshot only."""
        return replace(self, judged=self.answers())


def scope_of(
    system: System,
    on: dt.date,
    known_at: dt.datetime | None,
    window: Window | None,
    filters: Mapping[str, str] | None = None,
) -> ExportScope:
    """What a file is about, with its instant fixed: now, where none is named.

    Raises Refused as `request_export` does.
    """
    instant = known_at or now()
    if instant > now():
        raise Refused({"known_at": "That time has not come yet."})
    if on > system.day_of(now()):
        raise Refused({"on": NOT_COME_YET})
    refuse_unrecorded(system, known_at)
    refuse_unrecorded_audit((filters or {}).get("engagement", ""), instant)
    if window:
        refuse_window(*window)
    window = window or window_of(system, known_at)
    return ExportScope(
        system, Moment(on, instant), window, named_filters(filters or {})
    )


def named_filters(filters: Mapping[str, str]) -> dict[str, str]:
    """Those that say something, in the order of FILTERS; others are dropped."""
    return {name: filters[name] for name in FILTERS if filters.get(name)}


def refuse_empty(scope: ExportScope) -> None:
    """Raise Refused where no control is meant: a file without rows says nothing."""
    if scope.filters and not scope.keys():
        raise Refused({"system": NO_CONTROL})


def is_complete(scope: ExportScope) -> bool:
    """Whether all that was begun before the scope's instant is recorded by now.

    Waits for a while; call it outside of any transaction.
    """
    return wait_for_older_writers(scope.known_at)


@contextmanager
def one_snapshot(exported: str = "") -> Iterator[None]:
    """Inside, every statement reads the same state of the database and none writes.

    With a name that `exported_snapshot` gave: the state that another session reads.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if exported:
                cursor.execute("SET TRANSACTION SNAPSHOT %s", [exported])
        yield


def exported_snapshot() -> str:
    """The name of this transaction's snapshot, for another session while it lasts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot()")
        name: str = cursor.fetchone()[0]
    return name


def no_progress(done: int, total: int) -> None:
    """For whoever shows nothing on the way."""
