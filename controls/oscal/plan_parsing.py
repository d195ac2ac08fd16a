"""What a provider's security plan leaves to whoever leans on it, read out of the file.

Runs in a process with limits, of its own: no settings, no database, nothing is fetched.
Source: IN-02 of the requirements; `documents.py` bounds size, depth and values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from controls.oscal.catalog import OscalProblem
from controls.oscal.documents import Document, cut, read_document
from controls.oscal.references import faults

MAX_CONTROLS = 5_000
MAX_EXPORTED = 50_000  # duties and offers of one plan
MAX_TEXT = 10_000  # characters of one of them
MAX_FAULTS = 200  # that are named; the rest is counted
PLAN = "system-security-plan"

Node = Mapping[str, Any]


def answer_plan(body: BinaryIO, answer: BinaryIO, name: str, limit: int) -> None:
    """Write what the plan says: records `control`, then `faults`, then `end`; or one
    that says why it is not taken."""
    try:
        document = read_document(name, body.read(limit + 1))
        if document.kind != PLAN:
            raise OscalProblem(f"{name}: holds a {document.kind}, no security plan.")
        records = list(_controls(document))
    except OscalProblem as problem:
        _write(answer, ["refused", str(problem)])
        return
    for record in records:
        _write(answer, ["control", record])
    wrong = faults([document])
    named = [f"{cut(fault.place)}: {fault.sentence}" for fault in wrong[:MAX_FAULTS]]
    _write(answer, ["faults", named, len(wrong) - len(named)])
    _write(answer, ["end"])


def _write(answer: BinaryIO, record: list[Any]) -> None:
    answer.write(json.dumps(record).encode() + b"\n")


def _controls(document: Document) -> Iterator[dict[str, Any]]:
    """Each implemented requirement with what it exports, in the order of the file."""
    implementation = _group(document.body, "control-implementation")
    requirements = _groups(implementation, "implemented-requirements")
    if len(requirements) > MAX_CONTROLS:
        raise OscalProblem(f"{document.name}: more than {MAX_CONTROLS:,} controls.")
    titles = {
        str(component.get("uuid")): _text(component.get("title"))
        for component in _groups(
            _group(document.body, "system-implementation"), "components"
        )
    }
    left = MAX_EXPORTED
    for requirement in requirements:
        exported = list(_exported(requirement, "", titles))
        statements = _groups(requirement, "statements")
        for statement in statements:
            exported += _exported(
                statement, _text(statement.get("statement-id")), titles
            )
        left -= len(exported)
        if left < 0:
            raise OscalProblem(f"{document.name}: exports more than {MAX_EXPORTED:,}.")
        yield {
            "control": _text(requirement.get("control-id")),
            "statements": [_text(s.get("statement-id")) for s in statements],
            "exported": exported,
        }


def _exported(
    node: Node, statement: str, titles: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """What each component of a statement offers, and what it leaves to others."""
    for by_component in _groups(node, "by-components"):
        export = _group(by_component, "export")
        component = titles.get(str(by_component.get("component-uuid")), "")
        for kind in ("provided", "responsibilities"):
            for entry in _groups(export, kind):
                yield {
                    "kind": kind,
                    "statement": statement,
                    "component": component,
                    "uuid": _text(entry.get("uuid")),
                    "text": _text(entry.get("description")),
                }


def _group(node: Node, name: str) -> Node:
    member = node.get(name)
    return member if isinstance(member, dict) else {}


def _groups(node: Node, name: str) -> list[Node]:
    members = node.get(name)
    if not isinstance(members, list):
        return []
    return [member for member in members if isinstance(member, dict)]


def _text(value: Any) -> str:
    """Words on as many lines as they have; what cannot be shown becomes a blank."""
    text = value if isinstance(value, str) else ""
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return shown.strip()[:MAX_TEXT]
