"""One OSCAL document as a stranger sent it, read within limits. Pure."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from controls.oscal.catalog import OscalProblem

MAX_BYTES = 50_000_000  # of one document
MAX_DEPTH = 60  # of lists and groups in each other
MAX_VALUES = 5_000_000  # of one document
MAX_SHOWN = 80  # characters of a text of the document, in a sentence
ROOTS = frozenset(
    {
        "assessment-plan",
        "assessment-results",
        "catalog",
        "component-definition",
        "mapping-collection",
        "plan-of-action-and-milestones",
        "profile",
        "system-security-plan",
    }
)
Path = tuple[str | int, ...]
Node = Mapping[str, Any]


@dataclass
class Document:
    """A document below its root key, and what it holds by UUID."""

    name: str
    kind: str
    body: Node
    kinds: dict[str, str] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)


def read_document(name: str, content: bytes) -> Document:
    """A document of at most MAX_BYTES bytes. Raises OscalProblem: what is wrong, where.

    Nothing of it is run or fetched; one that is nested deeper than MAX_DEPTH or holds
    more than MAX_VALUES values is refused.
    """
    if len(content) > MAX_BYTES:
        raise OscalProblem(f"{name}: larger than {MAX_BYTES // 1_000_000} MB.")
    content = content.removeprefix(BOM_UTF8)  # some editors begin a file with it
    try:
        parsed = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise OscalProblem(f"{name}: not JSON: {fault}.") from None
    roots = sorted(ROOTS & set(parsed)) if isinstance(parsed, dict) else []
    if len(roots) != 1 or not isinstance(parsed[roots[0]], dict):
        raise OscalProblem(f"{name}: holds no OSCAL document of a kind that is known.")
    document = Document(name, roots[0], parsed[roots[0]])
    for number, (path, key, node) in enumerate(nodes_of(document)):
        if number > MAX_VALUES:
            raise OscalProblem(f"{name}: more than {MAX_VALUES:,} values.")
        if len(path) > MAX_DEPTH:
            raise OscalProblem(f"{name}: more than {MAX_DEPTH} levels.")
        if isinstance(node, dict):
            _index(document, key, node)
    _refuse_twins(name, content)
    return document


def _refuse_twins(name: str, content: bytes) -> None:
    """Raise OscalProblem where a key stands twice in one object: readers differ in
    which of the two they take."""

    def of_object(pairs: list[tuple[str, Any]]) -> None:
        keys: set[str] = set()
        for key, _ in pairs:
            if key in keys:
                raise OscalProblem(f"{name}: “{cut(key)}” stands twice in one object.")
            keys.add(key)

    try:
        json.loads(content, object_pairs_hook=of_object, parse_int=str)
    except RecursionError:  # in what the other reader dropped for its twin
        raise OscalProblem(f"{name}: more than {MAX_DEPTH} levels.") from None


def _index(document: Document, key: str, node: Node) -> None:
    if isinstance(node.get("uuid"), str):
        document.kinds.setdefault(node["uuid"].lower(), key)
    if isinstance(node.get("id"), str):
        document.ids.add(node["id"])
        if key == "roles":
            document.roles.add(node["id"])


def nodes_of(document: Document) -> Iterator[tuple[Path, str, Any]]:
    """Each value with its place and the key it, or the list it is in, stands under."""
    waiting: list[tuple[Path, str, Any]] = [
        ((document.kind,), document.kind, document.body)
    ]
    while waiting:
        path, key, value = waiting.pop()
        yield path, key, value
        if isinstance(value, dict):
            below: Iterable[Any] = (
                ((*path, name), name, member) for name, member in value.items()
            )
        elif isinstance(value, list):
            below = (
                ((*path, number), key, member) for number, member in enumerate(value)
            )
        else:
            continue
        waiting.extend(reversed(list(below)))


def cut(text: str) -> str:
    """A stranger's text, short enough for a sentence and fit for a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text[: MAX_SHOWN + 1])
    return shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}…"
