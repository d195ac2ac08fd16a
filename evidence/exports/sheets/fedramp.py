"""FedRAMP's two worksheets (CIS and CRM): one row for each part of a control.

What FedRAMP calls the CSP is here who the system inherits from. Source: its workbook of
SSP Appendix J, and rules R3 to R5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controls.control_parts import Part, labelled_parts
from controls.display_names import layer_name
from controls.models import ImplementationStatus
from controls.models.decisions import DecisionSource
from controls.responsibility.derive import class_of_parties
from controls.service_names import component_name
from evidence.exports.rows.part_status import (
    NOT_APPLICABLE,
    PROVIDERS_ALONE,
    part_status,
)
from evidence.exports.rows.scope import ExportScope
from evidence.exports.rows.status_rows import SOURCES, answered_documents
from evidence.status.control_status import ControlStatus
from evidence.status.half import GOOD
from evidence.status.rows import as_bigints, as_json, read_rows
from evidence.systems.matrix_parts import PartReading, layers_of, part_readings

Names = Mapping[str, str]
STATUSES = ("Implemented", "Partially Implemented", "Planned",
            "Alternative Implementation", "N/A")  # fmt: skip
ORIGINS = (
    "Service Provider Corporate",
    "Service Provider System Specific",
    "Service Provider Hybrid (Corporate and System Specific)",
    "Configured by Customer (Customer System Specific)",
    "Provided by Customer (Customer System Specific)",
    "Shared (Service Provider and Customer Responsibility)",
    "Inherited from Pre-Existing  Authorization",  # two blanks, as FedRAMP writes it
)
CONFIGURED, PROVIDED, SHARED, INHERITED = ORIGINS[3:]
COLUMN_OF_STATUS: Mapping[str, str] = {
    ImplementationStatus.IMPLEMENTED: STATUSES[0],
    ImplementationStatus.PARTIAL: STATUSES[1],
    ImplementationStatus.PLANNED: STATUSES[2],
    ImplementationStatus.ALTERNATIVE: STATUSES[3],
    NOT_APPLICABLE: STATUSES[4],
}
CRM = ("Control ID", "Can Be Inherited from CSP",
       "Specific Inheritance and Customer Agency/CSP Responsibilities")  # fmt: skip
CAN_BE_INHERITED = {"inherited": "Yes", "shared": "Partial"}
NO_LAYER = "none"
TEXTS = """
SELECT i.id, i.control_id, i.customer_statement, c.statements
  FROM {implementation} i JOIN {control_texts} c ON c.id = i.control_id
 WHERE i.id = ANY(%(implementations)s::bigint[])
"""


@dataclass(frozen=True)
class PartRow:
    """One row of both worksheets. Marks are the headings of columns with an X.

    `inheritance` is Yes, Partial or No; empty where the control has no object here.
    """

    label: str
    status: str
    origins: tuple[str, ...]
    inheritance: str
    text: str


def part_rows(scope: ExportScope, names: Names) -> tuple[int, Iterator[list[PartRow]]]:
    """How many controls there are, and the rows of each, in catalog order."""
    total, documents = answered_documents(scope)
    answered = list(documents)
    keys = [answer.implementation["id"] for _, answer in answered]
    rows = read_rows(TEXTS, scope.moment, implementations=as_bigints(keys))
    texts = {row["id"]: row for row in rows}
    read = part_readings((row["control_id"] for row in rows), scope.known_at)
    return total, (
        list(_of_control(document, answer, row, read.get(row["control_id"], ()), names))
        for document, answer, row in (
            (document, answer, texts[answer.implementation["id"]])
            for document, answer in answered
        )
    )


def _of_control(
    document: Mapping[str, Any],
    answer: ControlStatus,
    texts: Mapping[str, Any],
    readings: Sequence[PartReading],
    names: Names,
) -> Iterator[PartRow]:
    statements = as_json(texts["statements"])
    parts: list[Part | None] = [p for p in labelled_parts(statements) if p.top]
    for part in parts or [None]:
        of_part = _as_read(document, part, readings) if part else document
        responsibility = of_part["responsibility"]
        inheritance, text = "", ""
        if responsibility != NO_LAYER:
            inheritance = CAN_BE_INHERITED.get(responsibility, "No")
            text = _text(of_part, texts["customer_statement"], names)
        yield PartRow(
            label=document["label"] + (f"({_letter(part)})" if part else ""),
            status=_status(answer, part, responsibility),
            origins=_origins(responsibility, of_part["basis"]),
            inheritance=inheritance,
            text=text,
        )


def _as_read(
    document: Mapping[str, Any], part: Part, readings: Sequence[PartReading]
) -> Mapping[str, Any]:
    """The control's row with the class and basis of one of its parts, where that is
    read by itself (R5) and the class rests on readings."""
    if document["responsibility_source"] != SOURCES[DecisionSource.DERIVED]:
        return document
    layers = layers_of(readings, f"({_letter(part)})")
    basis = [row for row in document["basis"] if row["layer"] in layers]
    if not basis:
        return document
    parties = {row["party"] for row in basis}
    return {**document, "responsibility": class_of_parties(parties), "basis": basis}


def _letter(part: Part) -> str:
    return part.label.strip("(). ")


def _status(answer: ControlStatus, part: Part | None, responsibility: str) -> str:
    """The heading of the part's status; empty where nobody has stated any.

    Of what providers alone carry nobody of ours states it: it is implemented where
    their proof holds.
    """
    status = part_status(answer, part)
    if responsibility == "inherited" and part and status != NOT_APPLICABLE:
        status = PROVIDERS_ALONE  # of this part, if not of the whole control
    if status == PROVIDERS_ALONE:
        return STATUSES[0] if answer.status.aws_half in GOOD else ""
    return COLUMN_OF_STATUS.get(status, "")


def _origins(
    responsibility: str, basis: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    if responsibility == NO_LAYER:
        return ()
    if responsibility == "inherited":
        return (INHERITED,)
    kinds = {row["kind"] for row in basis if row["party"] == "customer"}
    ours = tuple(
        name
        for kind, name in (("configured", CONFIGURED), ("provided", PROVIDED))
        if kind in kinds
    )
    if responsibility == "shared":
        return (*ours, SHARED)
    return ours or (PROVIDED,)


def _text(document: Mapping[str, Any], statement: str, names: Names) -> str:
    """What is inherited and what stays ours; empty where all of it is inherited."""
    responsibility = document["responsibility"]
    if responsibility == "inherited":
        return ""
    sentences = []
    theirs, ours = (
        _layers(document["basis"], names, of_customer=of_customer)
        for of_customer in (False, True)
    )
    if responsibility == "shared" and theirs:
        sentences.append(f"Inherited: {theirs}.")
    if responsibility == "unclassified":
        sentences.append("Nobody has classified it; it counts as the customer's.")
    if ours:
        sentences.append(f"Customer: {ours}.")
    if statement.strip():
        sentences.append(statement.strip())
    return " ".join(sentences) or "The customer carries it alone."


def _layers(
    basis: Sequence[Mapping[str, Any]], names: Names, *, of_customer: bool
) -> str:
    """`Guest operating system of Amazon EC2 (configured)`, each once."""
    parts: dict[str, None] = {}
    for row in basis:
        if (row["party"] == "customer") is of_customer:
            component = component_name(names, row["component"], row["variant"])
            kind = f" ({row['kind']})" if of_customer else ""
            parts[f"{layer_name(row['layer'])} of {component}{kind}"] = None
    return "; ".join(parts)
