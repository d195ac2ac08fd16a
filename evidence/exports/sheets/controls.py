"""Sheets with rows of controls: status, period, gaps, who answers for which layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from controls.display_names import IMPLEMENTATION_STATUSES, PARTIES, layer_name
from controls.grammar import count_of
from controls.service_names import component_name
from evidence.exports.sheets import Sheet, Value, columns, joined, words
from evidence.status.control_status import ControlStatus
from evidence.status.occurrence_results import OccurrenceResult
from evidence.status.reasons import Reason
from evidence.status.window_words import notes_of

Names = Mapping[str, str]
Row = list[Value]
OPEN_OUTCOMES = ("late", "missed")
ON_THE_DAY, OVER_THE_WINDOW = "on the day", "over the window"
TO_DO = {
    "late": "Explain the delay.",
    "missed": "Perform it and upload proof; explain the gap to the auditor.",
}
STATUS = Sheet(
    "Status",
    columns(
        "Control",
        ("Title", "long", 36),
        ("Family", "text", 8),
        ("Responsibility", "state"),
        ("Rests on", "text", 20),
        ("Owner", "text", 16),
        ("Implementation status", "text", 16),
        ("Applicability", "state"),
        ("Not applicable because", "long", 30),
        ("Providers' half", "state"),
        ("Our half", "state"),
        ("Verdict", "state"),
        ("Proven by", "text", 12),
        ("Why", "long", 60),
        ("Next step", "long", 50),
    ),
)
PERIOD = Sheet(
    "Period",
    columns(
        "Control",
        ("Title", "long", 36),
        ("Result", "state"),
        ("Expected", "number", 10),
        ("On time", "number", 10),
        ("of which recorded late", "number", 10),
        ("of which within grace", "number", 10),
        ("Late", "number", 8),
        ("Missed", "number", 8),
        ("Not yet due", "number", 8),
        ("Cut short", "number", 8),
        ("Waived", "number", 8),
        ("Changed in retrospect", "number", 10),
        ("Audited days", "number", 9),
        ("Days by letter", "number", 9),
        ("Awaited days", "number", 9),
        ("Open days", "number", 9),
        ("Unasked days", "number", 9),
        ("Asked from", "day", 12),
        ("Event days covered", "number", 9),
        ("Event days open", "number", 9),
        ("Blocked", "long", 30),
        ("Why", "long", 60),
        ("Exceptions answered", "text", 12),
    ),
)
GAPS = Sheet(
    "Gaps",
    columns(
        "Control",
        ("Title", "long", 36),
        ("Owner", "text", 16),
        ("Where", "text", 16),
        ("Gap", "long", 60),
        ("From", "day", 12),
        ("To", "day", 12),
        ("Due", "day", 12),
        ("Performed", "day", 12),
        ("Next step", "long", 50),
    ),
)
MATRIX = Sheet(
    "Responsibility",
    columns(
        "Control",
        ("Title", "long", 36),
        ("Responsibility", "state"),
        ("Rests on", "text", 20),
        ("Layer", "text", 24),
        ("Component", "text", 30),
        ("Who runs it", "text", 24),
        ("Duty", "text", 12),
    ),
)


def status_row(document: Mapping[str, Any], answer: ControlStatus, names: Names) -> Row:
    """One control on the day."""
    reasons = answer.status.reasons
    status = document["implementation_status"]
    return [
        document["label"],
        document["title"],
        str(answer.implementation["family"]).upper(),
        words(document["responsibility"]),
        document["responsibility_source"],
        document["owner"],
        IMPLEMENTATION_STATUSES.get(status, status),
        words(document["applicability"].replace("-", " ")),
        document["applicability_reason"],
        words(document["aws_half"]),
        words(document["customer_half"]),
        words(document["verdict"]),
        document["proven_by"],
        _sentences(reasons, names),
        joined(dict.fromkeys(reason.next_step for reason in reasons)),
    ]


def period_row(document: Mapping[str, Any], answer: ControlStatus, names: Names) -> Row:
    """One control over the window; empty where nothing was judged over it."""
    result = document["period"]
    heading: Row = [document["label"], document["title"]]
    if answer.period is None:
        return heading
    blocked = [
        f"{days['from']} to {days['to']}: {days['reason']}"
        for days in result["blocked"]
    ]
    return [
        *heading,
        words(result["result"]),
        *(
            result[name]
            for name in (
                "expected",
                "on_time",
                "recorded_late",
                "within_grace",
                "late",
                "missed",
                "not_yet_due",
                "cut_short",
                "waived",
                "changed_in_retrospect",
                "audited_days",
                "asserted_days",
                "awaited_days",
                "open_days",
                "unasked_days",
            )
        ),
        answer.period.asked_from,
        result["event_days_covered"],
        result["event_days_open"],
        joined(blocked),
        _sentences(answer.period.reasons, names),
    ]


def gap_rows(
    document: Mapping[str, Any], answer: ControlStatus, names: Names
) -> Iterator[Row]:
    """What keeps one control from being proven, or its window from being complete."""
    head: Row = [document["label"], document["title"], document["owner"]]
    rows: list[Row] = []
    if answer.status.verdict not in {"proven", "not_applicable"}:
        rows += [_gap(head, ON_THE_DAY, r, names) for r in answer.status.reasons]
    if answer.period is not None and answer.period.result == "exceptions":
        rows += [
            _gap(head, OVER_THE_WINDOW, reason, names)
            for reason in answer.period.reasons
            if reason.code not in OPEN_OUTCOMES  # each has its row with its days below
        ]
        rows += [
            [*head, OVER_THE_WINDOW, *_occurrence(occurrence)]
            for occurrence in answer.period.occurrences.results
            if occurrence.outcome in OPEN_OUTCOMES
        ]
    # several components may say the same of one service
    yield from ([*row] for row in dict.fromkeys(tuple(row) for row in rows))


def summed_exceptions(answer: ControlStatus, names: Names) -> list[str]:
    """What makes a control's window an exception, as few sentences as say it.

    Periods that were missed or late are told once for each ask, with the first and the
    last of them.
    """
    if answer.period is None:
        return []
    open_ones: dict[tuple[str, str], list[OccurrenceResult]] = {}
    for result in answer.period.occurrences.results:
        if result.outcome in OPEN_OUTCOMES:
            open_ones.setdefault((result.title, result.outcome), []).append(result)
    sentences = []
    for (title, outcome), results in open_ones.items():
        days = f"{results[0].starts} to {results[0].ends}"
        if len(results) > 1:
            days += f", the last one {results[-1].starts} to {results[-1].ends}"
        periods = count_of(len(results), "period")
        sentences.append(f"{title}: {periods} {outcome}, {days}.")
    sentences += [
        reason.sentence_with(names)
        for reason in answer.period.reasons
        if reason.code not in OPEN_OUTCOMES
    ]
    return list(dict.fromkeys(sentences))


def _gap(head: Row, where: str, reason: Reason, names: Names) -> Row:
    days: Row = [None] * 4
    sentence = reason.sentence_with(names)
    return [*head, where, sentence, *days, reason.next_step]


def _occurrence(result: OccurrenceResult) -> Row:
    notes = ", ".join((words(result.outcome), *notes_of(result)))
    return [
        f"{result.title}: {notes}.",
        result.starts,
        result.ends,
        result.due_on,
        result.performed_on,
        TO_DO[result.outcome],
    ]


def matrix_rows(document: Mapping[str, Any], names: Names) -> Iterator[Row]:
    """Who runs each layer that a control governs; one row where no layer is there."""
    head: Row = [
        document["label"],
        document["title"],
        words(document["responsibility"]),
        document["responsibility_source"],
    ]
    for row in document["basis"]:
        yield [
            *head,
            layer_name(row["layer"]),
            component_name(names, row["component"], row["variant"]),
            PARTIES.get(row["party"], row["party"]),
            row["kind"],
        ]
    if not document["basis"]:
        yield head


def _sentences(reasons: tuple[Reason, ...], names: Names) -> str:
    return joined(reason.sentence_with(names) for reason in reasons)
