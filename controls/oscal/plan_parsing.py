"""What a provider's security plan leaves to whoever leans on it, read out of the file;
and the plan of who leans on it, held against that.

Runs in a process with limits, of its own: no settings, no database, nothing is fetched.
Source: IN-02 of the requirements; `documents.py` bounds size, depth and values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from controls.oscal.catalog import OscalProblem
from controls.oscal.documents import Document, Path, cut, nodes_of, read_document
from controls.oscal.plan_shape import require_shape
from controls.oscal.references import Fault, faults, shown

MAX_CONTROLS = 5_000
MAX_EXPORTED = 50_000  # duties and offers of one plan
MAX_TEXT = 10_000  # characters of one of them
MAX_FAULTS = 200  # that are named; the rest is counted
MAX_PLACE = 400  # characters of where a fault stands
PLAN = "system-security-plan"

Node = Mapping[str, Any]


def answer_plan(
    body: BinaryIO, answer: BinaryIO, files: Sequence[tuple[str, int]]
) -> None:
    """Write what the plan says: records `control`, then `leaning` for each control of
    the second plan, if there is one, then `faults`, then `end`; or one that says why
    they are not taken.

    `files`: names and sizes of the provider's plan and, where it is given, of the plan
    of a system that leans on it; `body` holds both, one after the other.
    """
    try:
        plans = [_plan(name, body.read(size)) for name, size in files]
        records = list(_controls(plans[0]))
        leaning = [record for plan in plans[1:] for record in _parts(plan)]
    except OscalProblem as problem:
        _write(answer, ["refused", str(problem)])
        return
    for record in records:
        _write(answer, ["control", record])
    for record in leaning:
        _write(answer, ["leaning", record])
    wrong = faults(plans)
    for plan in plans[1:]:
        wrong += _unanswered(plans[0], plan)
    named = [[f.document, cut_place(f.place), f.sentence] for f in wrong[:MAX_FAULTS]]
    _write(answer, ["faults", named, len(wrong) - len(named)])
    _write(answer, ["end"])


def _plan(name: str, content: bytes) -> Document:
    document = read_document(name, content)
    if document.kind != PLAN:
        raise OscalProblem(f"{name}: holds a {document.kind}, no security plan.")
    require_shape(document)
    return document


def cut_place(place: str) -> str:
    """A place as long as a real one can be; the names in it are cut already."""
    return place if len(place) <= MAX_PLACE else f"{place[:MAX_PLACE]}…"


def _write(answer: BinaryIO, record: list[Any]) -> None:
    answer.write(json.dumps(record).encode() + b"\n")


def _requirements(document: Document) -> list[Node]:
    implementation = _group(document.body, "control-implementation")
    requirements = _groups(implementation, "implemented-requirements")
    if len(requirements) > MAX_CONTROLS:
        raise OscalProblem(f"{document.name}: more than {MAX_CONTROLS:,} controls.")
    return requirements


def _controls(document: Document) -> Iterator[dict[str, Any]]:
    """Each implemented requirement with what it exports, in the order of the file."""
    titles = {
        str(component.get("uuid")): _text(component.get("title"))
        for component in _groups(
            _group(document.body, "system-implementation"), "components"
        )
    }
    left = MAX_EXPORTED
    for requirement in _requirements(document):
        exported = list(_exported(requirement, "", titles))
        statements = _groups(requirement, "statements")
        for statement in statements:
            exported += _exported(
                statement, _text(statement.get("statement-id")), titles
            )
        left -= len(exported)
        if left < 0:
            raise OscalProblem(f"{document.name}: exports more than {MAX_EXPORTED:,}.")
        yield _named(requirement) | {"exported": exported}


def _parts(document: Document) -> Iterator[dict[str, Any]]:
    """The same of a plan that leans on it, without what that exports."""
    for requirement in _requirements(document):
        yield _named(requirement) | {"exported": []}


def _named(requirement: Node) -> dict[str, Any]:
    statements = _groups(requirement, "statements")
    return {
        "control": _text(requirement.get("control-id")),
        "statements": [_text(s.get("statement-id")) for s in statements],
    }


def _unanswered(provider: Document, leaning: Document) -> Iterator[Fault]:
    """Responsibilities that the provider leaves and the other plan satisfies nowhere.

    Of controls that the other plan speaks of alone: what it leaves out altogether is
    not in its scope, or shows as a gap of its own.
    """
    answered = {
        str(node.get("responsibility-uuid")).lower()
        for _, key, node in nodes_of(leaning)
        if key == "satisfied" and isinstance(node, dict)
    }
    spoken = {_text(r.get("control-id")).lower() for r in _requirements(leaning)}
    for path, key, node in nodes_of(provider):
        if key != "responsibilities" or not isinstance(node, dict):
            continue
        uuid = _text(node.get("uuid"))
        if uuid.lower() not in answered and _control_at(provider, path) in spoken:
            yield Fault(
                provider.name,
                shown(path),
                f"{leaning.name} satisfies the responsibility {cut(uuid)} nowhere.",
            )


def _control_at(document: Document, path: Path) -> str:
    """The control that a place of a plan speaks of; empty where it speaks of none."""
    if path[1:3] != ("control-implementation", "implemented-requirements"):
        return ""
    node: Any = document.body
    for step in path[1:4]:
        node = node[step]
    return _text(node.get("control-id")).lower() if isinstance(node, dict) else ""


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
