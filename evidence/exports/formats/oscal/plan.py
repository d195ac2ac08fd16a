"""The system security plan: every control of the system, each half by component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from evidence.exports.formats.oscal import system as systems
from evidence.exports.formats.oscal.halves import Requirement, texts_of
from evidence.exports.formats.oscal.head import DocumentHead, head_of
from evidence.exports.formats.oscal.leveraged import held_reports
from evidence.exports.formats.oscal.writing import Node, write_document
from evidence.exports.rows.scope import ExportScope, Progress
from evidence.status.control_status import ControlStatus
from evidence.status.rows import Row, as_bigints, as_json, read_rows
from evidence.systems.matrix_parts import part_readings

TEXTS = """
SELECT i.id, i.control_id, i.customer_statement, c.statements
  FROM {implementation} i JOIN {control_texts} c ON c.id = i.control_id
 WHERE i.id = ANY(%(implementations)s::bigint[])
"""
PARAMETERS = """
SELECT control_id, parameters FROM controls_baselinecontrol
 WHERE baseline_id = %(baseline)s AND parameters <> '{{}}'
"""
DESCRIPTION = (
    "Each control by component: what providers run, what is inherited of it, and what"
    " is ours. Classes are derived from the services in use; template rows are to be"
    " confirmed for your use."
)


def write(scope: ExportScope, file: BinaryIO, progress: Progress) -> None:
    """The whole plan, a line for each control. A constant number of statements."""
    head = head_of(scope)
    answers = scope.answers(over_window=False)
    around = systems.surroundings(scope, answers)
    plan: Node = {
        "uuid": head.document("system-security-plan"),
        "metadata": head.metadata(
            "System security plan", systems.parties(head, around)
        ),
        "import-profile": {"href": head.profile_href},
        "system-characteristics": systems.characteristics(head, around),
        "system-implementation": systems.implementation(head, around),
        "control-implementation": {
            "description": DESCRIPTION,
            "implemented-requirements": _requirements(head, around, answers, progress),
        },
        "back-matter": {
            "resources": [head.profile(), *held_reports(head, around.reports)]
        },
    }
    write_document(file, "system-security-plan", plan)


def _requirements(
    head: DocumentHead,
    around: systems.Surroundings,
    answers: Sequence[ControlStatus],
    progress: Progress,
) -> Iterator[Node]:
    texts = control_texts(head, answers)
    parameters = baseline_parameters(head)
    controls = (row["control_id"] for row in texts.values())
    read = part_readings(controls, head.scope.known_at)
    for done, answer in enumerate(answers, start=1):
        row = texts[answer.implementation["id"]]
        of_parts = read.get(row["control_id"], ())
        written = texts_of(row, parameters)
        yield Requirement(head, around, answer, written, of_parts).node()
        progress(done, len(answers))


def control_texts(
    head: DocumentHead, answers: Sequence[ControlStatus]
) -> Mapping[int, Row]:
    """What people wrote of each control, and its parts, by key. One statement."""
    keys = as_bigints(answer.implementation["id"] for answer in answers)
    rows = read_rows(TEXTS, head.scope.moment, implementations=keys)
    return {row["id"]: row for row in rows}


def baseline_parameters(head: DocumentHead) -> Mapping[int, Mapping[str, str]]:
    """What the baseline sets for the parameters of each control. One statement."""
    rows = read_rows(PARAMETERS, head.scope.moment, baseline=head.system["baseline_id"])
    return {row["control_id"]: as_json(row["parameters"]) for row in rows}
