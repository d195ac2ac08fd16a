"""The customer responsibility matrix: one row for each control and service in use."""

from __future__ import annotations

from collections.abc import Iterator

from controls.service_names import component_name, display_names
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.exports.rows.status_rows import SOURCES
from evidence.exports.sheets import Sheet, Value, columns, joined, words
from evidence.status.control_status import listed
from evidence.systems.matrix import of_rows, with_reports
from evidence.systems.matrix_rows import MatrixControl, MatrixRow, Names

RESPONSIBILITIES = Sheet(
    "Responsibility matrix",
    columns(
        "Control",
        ("Title", "long", 36),
        ("Class of the control", "state"),
        ("Rests on", "text", 20),
        ("Owner", "text", 16),
        ("Service", "text", 30),
        ("Class by this service", "state"),
        ("Provider", "text", 16),
        ("The provider does", "long", 40),
        ("We configure", "long", 40),
        ("We provide", "long", 40),
        ("Proven by", "long", 36),
        ("Provider's proof", "state"),
        ("A provider expects of us", "long", 36),
        ("Source", "long", 50),
    ),
)


def responsibility_rows(
    scope: ExportScope, progress: Progress
) -> Iterator[list[Value]]:
    """The rows in catalog order; a control without any service is one row, parts that
    differ from their control follow it.

    Raises LookupError when the system was not recorded by the scope's instant.
    """
    rows = listed(scope.system, scope.moment)
    keys = scope.keys()
    if keys is not None:
        rows = [row for row in rows if row["id"] in set(keys)]
    controls = of_rows(rows, scope.moment, {})
    names = display_names()
    shown = with_reports(scope.system, scope.moment, controls)
    for done, control in enumerate(shown, start=1):
        yield from _of_control(control, names)
        progress(done, len(shown))


def _of_control(control: MatrixControl, names: Names) -> Iterator[list[Value]]:
    row = control.control
    head: list[Value] = [
        row["label"],
        row["title"],
        words(control.responsibility),
        SOURCES.get(row["source"] or "", ""),
        row["owner"] or "",
    ]
    expected = "; ".join(control.expected)
    for made in control.rows:
        yield [*head, *_of_row(made, names, expected)]
    for part in control.parts:
        of_part = [part.label, row["title"], words(part.responsibility), *head[3:]]
        for made in part.rows:
            yield [*of_part, *_of_row(made, names, expected)]
    if not control.rows:
        left_out = row["applicability"] == "not-applicable"
        nothing = "not applicable" if left_out else "no such layer"
        yield [*head, nothing, *[""] * 7, expected, ""]


def _of_row(made: MatrixRow, names: Names, expected: str) -> list[Value]:
    return [
        component_name(names, made.component, made.variant),
        words(made.responsibility),
        made.provider,
        made.theirs_named,
        made.configured,
        made.provided,
        "; ".join(made.reports),
        words(made.proof),
        expected,
        joined(f"{source}." for source in made.sources),
    ]
