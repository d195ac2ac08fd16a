"""All sheets of one scope with their rows, in the order of the workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from controls.service_names import display_names
from evidence.exports.rows.answers import is_answered
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import answered_documents, periods_of
from evidence.exports.sheets import Sheet, Value
from evidence.exports.sheets.after_closing import AFTER_CLOSING, after_closing_rows
from evidence.exports.sheets.after_period import AFTER_THE_PERIOD, after_period_rows
from evidence.exports.sheets.changes import CHANGES, change_rows
from evidence.exports.sheets.controls import (
    GAPS,
    MATRIX,
    PERIOD,
    STATUS,
    gap_rows,
    matrix_rows,
    period_row,
    status_row,
)
from evidence.exports.sheets.records import (
    EVIDENCE,
    POPULATIONS,
    evidence_rows,
    population_rows,
)
from evidence.exports.sheets.reports import REPORTS, report_rows
from evidence.exports.sheets.responses import RESPONSES, response_rows
from evidence.findings.item_answers import ItemAnswer, answers_by_control

SHEETS = (
    STATUS,
    PERIOD,
    GAPS,
    EVIDENCE,
    MATRIX,
    POPULATIONS,
    REPORTS,
    RESPONSES,
    CHANGES,
    AFTER_THE_PERIOD,
    AFTER_CLOSING,
)
Add = Callable[[Sheet, list[Value]], None]


def fill(scope: ExportScope, add: Add, progress: Progress) -> None:
    """Hand every row to `add`, each sheet's in their order; several at once are open.

    The progress counts controls.
    """
    total, documents = answered_documents(scope)
    names = display_names()
    labels: dict[int, str] = {}
    periods = periods_of(scope.answers())
    responses = answers_by_control(periods, scope.moment, names)
    for document, answer in documents:
        items = responses.get(answer.implementation["id"], [])
        labels[answer.implementation["id"]] = document["label"]
        add(STATUS, status_row(document, answer, names))
        period = period_row(document, answer, names)
        if answer.period is not None:
            period.append("yes" if is_answered(answer.period.result, items) else "")
        add(PERIOD, period)
        for row in gap_rows(document, answer, names):
            add(GAPS, row)
        for row in matrix_rows(document, names):
            add(MATRIX, row)
        progress(len(labels), total)
    for sheet, rows in _records(scope, labels, responses):
        for row in rows:
            add(sheet, row)
        progress(total, total)


def _records(
    scope: ExportScope,
    labels: dict[int, str],
    answers: Mapping[int, Sequence[ItemAnswer]],
) -> Iterator[tuple[Sheet, Iterator[list[Value]]]]:
    yield EVIDENCE, evidence_rows(scope, labels)
    yield POPULATIONS, population_rows(scope, list(labels))
    yield REPORTS, report_rows(scope, labels)
    yield RESPONSES, response_rows(scope, labels, answers)
    yield CHANGES, change_rows(scope, list(labels))
    yield AFTER_THE_PERIOD, after_period_rows(scope, labels)
    yield AFTER_CLOSING, after_closing_rows(scope, labels)
