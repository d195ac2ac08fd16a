"""A provider's security plan (OSCAL) as statements: what it offers, what it leaves us.

Nothing becomes inherited by reading it: what it says is previewed, and rules only once
an officer adopts it. A control counts as inherited only where each of its parts is
offered and nothing of it is left to us.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from controls.errors import Refused
from controls.oscal.plans import (
    Exported,
    PlanFault,
    PlanFile,
    PlannedControl,
    read_plan,
)
from controls.oscal.references import CatalogIds, unknown_statements
from controls.provider_documents.statements import StatementRow, Statements
from controls.reference.catalog_ids import shipped_ids
from controls.spreadsheets import Place

ENTRIES = "implemented-requirements"  # the list whose entries places count, from 1
REQUIREMENTS = f"system-security-plan/control-implementation/{ENTRIES}"
NOTHING_EXPORTED = (
    "This plan offers nothing to systems that lean on it and leaves nothing to them:"
    " it has no “export”. Send the plan of the provider, not your own; yours may"
    " be sent beside it, to be held against it."
)


def read_plan_statements(plan: PlanFile, own: PlanFile | None = None) -> Statements:
    """What a plan says of each control that it exports something of.

    `own` is the plan of the system that leans on it: nothing is stated by it, but what
    it inherits and satisfies must be what the other plan exports. References that lead
    nowhere or to the wrong kind of thing, responsibilities that are satisfied nowhere,
    and parts that the catalog does not have are named in `left_out`, with their places,
    and refuse nothing. Raises Refused for a file that is no such plan.
    """
    read = read_plan(plan, own)
    catalog = shipped_ids()
    rows = [
        _row(number, control, catalog)
        for number, control in enumerate(read.controls, start=1)
        if control.exported
    ]
    if not rows:
        raise Refused(NOTHING_EXPORTED, code="nothing_exported")
    notes = [str(fault) for fault in read.faults]
    if read.more_faults:
        notes.append(f"And {read.more_faults:,} more such faults of references.")
    notes += _unknown_parts(plan.name, read.controls, catalog)
    silent = [c.control_id.upper() for c in read.controls if not c.exported]
    if silent:
        notes.append(f"The plan exports nothing of {', '.join(silent)}.")
    if own is not None:
        notes += _unknown_parts(own.name, read.leaning, catalog)
        digest = hashlib.sha256(own.content).hexdigest()
        notes.append(f"Held against your own plan {own.name}, SHA-256 {digest}.")
    digest = hashlib.sha256(plan.content).hexdigest()
    return Statements(plan.name, digest, tuple(rows), (), tuple(notes))


def _unknown_parts(
    name: str, controls: tuple[PlannedControl, ...], catalog: CatalogIds
) -> Iterator[str]:
    """Parts of controls that the catalog calls otherwise, each with its place."""
    for number, control in enumerate(controls):
        for part, statement in enumerate(control.statements):
            place = f"{REQUIREMENTS}[{number}]/statements[{part}]/statement-id"
            for sentence in unknown_statements(
                control.control_id, [statement], catalog
            ):
                yield str(PlanFault(name, place, sentence))


def _row(number: int, control: PlannedControl, catalog: CatalogIds) -> StatementRow:
    place = Place(ENTRIES, number)
    return StatementRow(
        place,
        control.control_id.lower(),
        _class_of(control, catalog),
        "\n".join(_texts(control.exported)),
    )


def _class_of(control: PlannedControl, catalog: CatalogIds) -> str:
    provided = [entry for entry in control.exported if entry.provided]
    if not provided:
        return "customer"
    if len(provided) < len(control.exported):
        return "shared"
    offered = {_statement(entry.statement) for entry in provided}
    parts = _top_parts(control.control_id.lower(), catalog)
    whole = "" in offered or offered.issuperset(parts)
    return "inherited" if whole else "shared"


def _top_parts(control_id: str, catalog: CatalogIds) -> set[str]:
    """Ids of the lettered parts; of a control of one sentence, that of the whole."""
    ids = catalog.statements.get(control_id, frozenset())
    top = re.compile(rf"{re.escape(control_id)}_smt\.[a-z]+")
    return {name for name in ids if top.fullmatch(name)} or {f"{control_id}_smt"}


def _statement(name: str) -> str:
    """The id of a part by NIST's catalog; its own examples write `_stmt`."""
    return name.lower().replace("_stmt", "_smt")


def _texts(exported: tuple[Exported, ...]) -> Iterator[str]:
    """What is left to us, each with its part and component; then what is offered."""
    for provided, words in ((False, "Left to us"), (True, "Offered")):
        for entry in exported:
            if entry.provided is provided:
                whose = ", ".join(filter(None, (_part(entry), entry.component)))
                what = entry.text or "not described"
                yield f"{words}, {whose}: {what}" if whose else f"{words}: {what}"


def _part(entry: Exported) -> str:
    """`(a)`; empty for the control as a whole."""
    _, dot, part = entry.statement.partition("_smt.")
    if not dot:
        _, dot, part = entry.statement.partition("_stmt.")
    return f"({part})" if dot else ""
