"""The auditor's table: both halves over a window, with the auditor's own marks."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.grammar import count_of
from controls.models import Engagement
from evidence.charts import Segment, Stretch, bar, place, stretches
from evidence.engagements.after_closing import after_closing
from evidence.models import ControlMark, EvidenceRequest
from evidence.models.marks import MarkState
from evidence.status.after_closing import LaterChange
from evidence.status.clocks import Clocks
from evidence.status.control_filter import matching_rows, row_of, with_verdict
from evidence.status.control_status import ControlStatus, control_statuses
from evidence.status.occurrence_results import Occurrences
from evidence.status.window import AwsDays, Period, worst_need

# How the days of providers are named on the axis, in the order of the numbers.
COVERED = (
    ("audited", "audited"),
    ("asserted", "by letter"),
    ("awaited", "awaited"),
    ("open", "open"),
)
# Colours of the bar of progress, by the state of a mark.
SHARES = (
    (MarkState.SATISFIED, "proven", "your mark"),
    (MarkState.OTHER, "unproven", "your mark"),
    (MarkState.IN_PROGRESS, "partly", "begun"),
    (MarkState.NOT_STARTED, "none", ""),
)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class ProviderDays:
    """The providers' days of one control on the window's axis, and as numbers."""

    stretches: list[Stretch]
    numbers: str
    # where the day asked about stands on the axis; None: outside the window
    now: float | None


@dataclass(frozen=True)
class TableRow:
    """One control over the window, with the requests about it and the mark."""

    answer: ControlStatus
    providers: ProviderDays | None
    ours: str
    requests: Sequence[EvidenceRequest]
    mark: ControlMark | None
    # what became otherwise since the engagement's window was closed
    later: Sequence[LaterChange] = ()
    # what the company answers to items of the window, and whether it answers each
    responses: Sequence[Any] = ()
    answered: bool = False

    @property
    def accepted(self) -> list[Any]:
        """The items whose answer a second person accepted."""
        return [item for item in self.responses if item.accepted]

    @property
    def row(self) -> Row:
        """The control's columns."""
        return self.answer.implementation

    @property
    def result(self) -> str:
        """What the window came to so far."""
        return self.answer.period.result if self.answer.period else "nothing"

    @property
    def state(self) -> str:
        """The state of the mark."""
        return self.mark.state if self.mark else MarkState.NOT_STARTED

    @property
    def version(self) -> int:
        """The version of the mark; 0 for none."""
        return self.mark.version if self.mark else 0


# A mark is a judgement: what was known before an instant had the marks of then (R31).
MARKS_THEN = """
SELECT * FROM evidence_controlmark_versions
 WHERE engagement_id = %s AND known_from < %s
   AND (known_until IS NULL OR known_until >= %s)
"""


def marks_of(
    engagement: Engagement, known_at: dt.datetime | None = None
) -> dict[int, ControlMark]:
    """The marks of an engagement, by the key of the control's row: those of now, or as
    they were known before an instant. One statement."""
    rows: Iterable[ControlMark] = ControlMark.objects.filter(engagement=engagement)
    if known_at is not None:
        clocks = [engagement.pk, known_at, known_at]
        rows = ControlMark.objects.raw(MARKS_THEN, clocks)
    return {mark.implementation_id: mark for mark in rows}


def marks_among(
    marks: Mapping[int, ControlMark], rows: Sequence[Row]
) -> dict[int, ControlMark]:
    """The marks of these rows."""
    keys = {row["id"] for row in rows}
    return {key: mark for key, mark in marks.items() if key in keys}


def matching_controls(
    clocks: Clocks,
    rows: Sequence[Row],
    filters: Mapping[str, str],
    marks: Mapping[int, ControlMark],
) -> list[Row]:
    """The rows of `listed` that all filters mean, in the order of the catalog.

    `result` is one over the window, `mark` the state of a mark; the others are those
    of the list of controls.
    """
    matching = matching_rows(rows, filters)
    if state := filters.get("mark"):
        matching = [
            row
            for row in matching
            if (marks[row["id"]].state if row["id"] in marks else "not_started")
            == state
        ]
    if result := filters.get("result"):
        answers = with_verdict(
            clocks.system, clocks.moment, matching, result, clocks.window
        )
        matching = [row_of(answer) for answer in answers]
    return matching


def table_rows(
    engagement: Engagement,
    clocks: Clocks,
    rows: Sequence[Row],
    marks: Mapping[int, ControlMark],
) -> list[TableRow]:
    """Some controls judged over the window, in a constant number of statements.

    Empty where the system was not recorded by the moment.
    """
    try:
        answers = control_statuses(
            clocks.system, clocks.moment, known=rows, window=clocks.window
        )
    except LookupError:
        return []
    by_key = {answer.implementation["id"]: answer for answer in answers}
    requests = _requests(engagement, list(by_key))
    closed = after_closing(engagement, clocks.moment)
    later = closed.by_control if closed else {}
    return [
        TableRow(
            answer,
            _providers(answer.period, clocks) if answer.facts.aws_required else None,
            ours_in_words(answer.period.occurrences) if answer.period else "",
            requests[key],
            marks.get(key),
            later.get(key, ()),
        )
        for key in (row["id"] for row in rows)
        if (answer := by_key.get(key))
    ]


def _requests(
    engagement: Engagement, keys: list[int]
) -> dict[int, list[EvidenceRequest]]:
    """The engagement's requests about controls, by the key of the control's row."""
    named: dict[int, list[EvidenceRequest]] = defaultdict(list)
    rows = EvidenceRequest.controls.through.objects.filter(
        evidencerequest__engagement=engagement, controlimplementation__in=keys
    )
    for row in rows.select_related("evidencerequest").order_by("evidencerequest"):
        named[row.controlimplementation_id].append(row.evidencerequest)
    return named


def _providers(period: Period | None, clocks: Clocks) -> ProviderDays | None:
    if period is None:
        return None
    days: AwsDays = period.aws_days
    decisive = worst_need(days.services)
    ranges: list[tuple[str, str, dt.date, dt.date]] = [
        (code, title, first, last)
        for code, title in COVERED
        for first, last in (getattr(decisive, f"{code}_ranges") if decisive else ())
    ]
    start, end = clocks.window
    today = clocks.moment.on
    return ProviderDays(
        stretches(clocks.window, ranges),
        f"{days.audited} / {days.asserted} / {days.awaited} / {days.open_days}",
        place(clocks.window, today) if start <= today <= end else None,
    )


def ours_in_words(ours: Occurrences) -> str:
    """`4 expected: 2 on time, 1 late, 1 ahead`, and what was sampled."""
    parts = (
        (ours.on_time, "on time"),
        (ours.late, "late"),
        (ours.missed, "missed"),
        (ours.not_yet_due, "ahead"),
        (ours.waived, "waived"),
    )
    counted = ", ".join(f"{number} {word}" for number, word in parts if number)
    sentences = []
    if ours.expected or counted:
        sentences.append(f"{ours.expected} expected: {counted or 'none so far'}")
    if ours.sampled:
        sentences.append(
            f"{ours.sampled} sampled: {ours.proven} proven,"
            f" {count_of(ours.deviations, 'deviation')}, {ours.open} open"
        )
    return ". ".join(sentences) or "Nothing is asked of the company"


@dataclass(frozen=True)
class MarkedControls:
    """How many controls are in which state of the auditors' marks."""

    by_state: list[tuple[str, Segment]]
    total: int

    @property
    def segments(self) -> list[Segment]:
        """The states, empty ones too."""
        return [segment for _, segment in self.by_state]

    @property
    def begun(self) -> int:
        """Controls that somebody has begun with."""
        return self.total - self.segments[-1].count

    @property
    def parts(self) -> list[Segment]:
        """The states as parts of a bar."""
        return bar(self.segments)


def progress_of(marks: Mapping[int, ControlMark], total: int) -> MarkedControls:
    """The marks counted; what has none is not started."""
    counts = Counter(mark.state for mark in marks.values())
    counts[MarkState.NOT_STARTED] += total - len(marks)
    return MarkedControls(
        [
            (state, Segment(code, MarkState(state).label, counts[state], note))
            for state, code, note in SHARES
        ],
        total,
    )
