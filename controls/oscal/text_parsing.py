"""The text of controls out of an OSCAL catalog that somebody sent. Runs confined.

The reader (`answer_texts`) writes one JSON record a line, and imports nothing of SRM:
`["edition", version, title, last_modified]`, then for each control that is not
withdrawn `["control", {...}]`, and last `["end"]`, or `["refused", sentence]` at
whatever place something is wrong. Nothing of a file that ends so may be kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

MAX_DEPTH = 12  # of groups, controls or parts in each other
MAX_CONTROLS = 3_000
MAX_PARTS = 300  # of one control
MAX_PARAMS = 200  # of one control
MAX_PROSE = 20_000  # characters of one part
MAX_LABEL = 600  # characters of a label or of one choice
MAX_WORD = 300  # characters of a title or a version
CONTROL_ID = re.compile(r"[a-z][a-z0-9.-]{0,39}")
PART_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.()-]{0,59}")
INSERT = re.compile(
    r"\{\{\s*insert:\s*param,\s*([A-Za-z][\w.-]{0,59})\s*\}\}", re.ASCII
)
# What no database keeps and no page shows; line ends and tabs are fine.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
KINDS: dict[Any, str] = {
    dict: "a group of names and values",
    list: "a list",
    str: "a text",
}

Node = Mapping[str, Any]


class CatalogFault(Exception):
    """Why the file is not taken: one sentence that says what and where."""


def answer_texts(body: BinaryIO, answer: BinaryIO, max_bytes: int) -> None:
    """Write the records of a file of at most `max_bytes` bytes."""
    try:
        for record in records(body.read(max_bytes + 1)):
            _write(answer, record)
        _write(answer, ["end"])
    except CatalogFault as fault:
        _write(answer, ["refused", str(fault)])


def _write(answer: BinaryIO, record: list[Any]) -> None:
    answer.write(json.dumps(record).encode() + b"\n")


def records(content: bytes) -> Iterator[list[Any]]:
    """The edition, then each control that is not withdrawn. Raises CatalogFault."""
    catalog = _catalog_of(content)
    metadata = _member(catalog, "metadata", dict, "the catalog")
    yield [
        "edition",
        _word(metadata, "version", "metadata"),
        _word(metadata, "title", "metadata"),
        _word(metadata, "last-modified", "metadata", required=False),
    ]
    controls: dict[str, Node] = {}
    params: dict[str, dict[str, Any]] = {}
    for control in _controls_of(catalog, "the catalog", 0):
        ref_id = control["id"]
        if ref_id in controls:
            raise CatalogFault(f"Control {ref_id}: it is in the file twice.")
        controls[ref_id] = control
        if len(controls) > MAX_CONTROLS:
            raise CatalogFault(f"The file has more than {MAX_CONTROLS:,} controls.")
        params |= _params(control, f"control {ref_id}")
    for ref_id, control in controls.items():
        if not _is_withdrawn(control, f"control {ref_id}"):
            yield ["control", _control(control, params)]


def _catalog_of(content: bytes) -> Node:
    """The catalog of a file. Raises CatalogFault."""
    import orjson  # loaded where files are read, not where pages are served

    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise CatalogFault(
            f"The file is not JSON: line {fault.lineno}, column {fault.colno}. Bring"
            " the catalog in OSCAL's JSON format."
        ) from None
    if not isinstance(document, dict) or "catalog" not in document:
        names = sorted(document)[:1] if isinstance(document, dict) else []
        instead = f" It holds “{names[0][:40]}”." if names else ""
        raise CatalogFault(f"The file has no “catalog” at its top.{instead}")
    return _member(document, "catalog", dict, "the file")  # type: ignore[no-any-return]


def _member(node: Node, name: str, kind: type, place: str, default: Any = None) -> Any:
    """What stands under a name; the default where it does not. Raises CatalogFault."""
    if name not in node and default is not None:
        return default
    if not isinstance(node.get(name), kind):
        raise CatalogFault(f"{_begun(place)}: “{name}” is not {KINDS[kind]}.")
    return node[name]


def _begun(place: str) -> str:
    return place[:1].upper() + place[1:]


def _word(node: Node, name: str, place: str, *, required: bool = True) -> str:
    text = _text(node, name, place, MAX_WORD)
    if required and not text:
        raise CatalogFault(f"{_begun(place)}: “{name}” is empty.")
    return text


def _text(node: Node, name: str, place: str, limit: int) -> str:
    """A text without space around it, empty where there is none."""
    text: str = _member(node, name, str, place, "")
    if len(text) > limit:
        raise CatalogFault(
            f"{_begun(place)}: “{name}” is longer than {limit:,} characters."
        )
    if UNPRINTABLE.search(text):
        raise CatalogFault(
            f"{_begun(place)}: “{name}” holds a character that cannot be shown."
        )
    return text.strip()


def _nodes(node: Node, name: str, place: str) -> list[Node]:
    """What a list holds, each with names and values."""
    members: list[Node] = _member(node, name, list, place, [])
    for number, member in enumerate(members, start=1):
        if not isinstance(member, dict):
            raise CatalogFault(
                f"{_begun(place)}: number {number} of “{name}” is not {KINDS[dict]}."
            )
    return members


def _controls_of(node: Node, place: str, depth: int) -> Iterator[Node]:
    """Controls and enhancements in the order of the file, each with a sound id."""
    if depth > MAX_DEPTH:
        raise CatalogFault(f"{_begun(place)}: more than {MAX_DEPTH} levels.")
    for group in _nodes(node, "groups", place):
        name = str(group.get("id", ""))[:40]
        yield from _controls_of(group, f"group {name}", depth + 1)
    for number, control in enumerate(_nodes(node, "controls", place), start=1):
        ref_id = control.get("id")
        if not isinstance(ref_id, str) or not CONTROL_ID.fullmatch(ref_id):
            raise CatalogFault(f"{_begun(place)}: control number {number} has no id.")
        yield control
        yield from _controls_of(control, f"control {ref_id}", depth + 1)


def _props(node: Node, name: str, place: str) -> list[str]:
    """The values of the properties of a name, other than those for other documents."""
    return [
        _text(prop, "value", place, MAX_LABEL)
        for prop in _nodes(node, "props", place)
        if prop.get("name") == name
        and prop.get("class") not in {"zero-padded", "sp800-53a"}
    ]


def _is_withdrawn(control: Node, place: str) -> bool:
    return "withdrawn" in [text.lower() for text in _props(control, "status", place)]


def _control(control: Node, params: Mapping[str, Node]) -> dict[str, Any]:
    """A control as it is kept; `params` are those of the whole catalog."""
    place = f"control {control['id']}"
    statements: list[dict[str, Any]] = []
    guidance: list[str] = []
    for part in _nodes(control, "parts", place):
        if part.get("name") == "statement":
            for statement in _statements(part, place, 0):
                statements.append(statement)
                if len(statements) > MAX_PARTS:
                    raise CatalogFault(f"{_begun(place)}: more than {MAX_PARTS} parts.")
        elif part.get("name") == "guidance":
            guidance.append(_text(part, "prose", f"{place}, guidance", MAX_PROSE))
    if not statements:
        raise CatalogFault(f"{_begun(place)}: it has no statement.")
    return {
        "id": control["id"],
        "statements": statements,
        "params": _named_params(statements, params),
        "guidance": "\n\n".join(guidance),
    }


def _statements(part: Node, place: str, depth: int) -> Iterator[dict[str, Any]]:
    key = part.get("id")
    if not isinstance(key, str) or not PART_ID.fullmatch(key):
        raise CatalogFault(f"{_begun(place)}: a part of it has no id.")
    place = f"part {key}"
    if depth > MAX_DEPTH:
        raise CatalogFault(f"{_begun(place)}: more than {MAX_DEPTH} levels.")
    yield {
        "id": key,
        "label": next(iter(_props(part, "label", place)), ""),
        "depth": depth,
        "prose": _text(part, "prose", place, MAX_PROSE),
    }
    for below in _nodes(part, "parts", place):
        if below.get("name") == "item":
            yield from _statements(below, place, depth + 1)


def _params(control: Node, place: str) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    for param in _nodes(control, "params", place):
        key = param.get("id")
        if not isinstance(key, str) or not PART_ID.fullmatch(key):
            raise CatalogFault(f"{_begun(place)}: a parameter of it has no id.")
        params[key] = _param(param, f"parameter {key}")
        if len(params) > MAX_PARAMS:
            raise CatalogFault(f"{_begun(place)}: more than {MAX_PARAMS} parameters.")
    return params


def _param(param: Node, place: str) -> dict[str, Any]:
    select = _member(param, "select", dict, place, {})
    choices = _member(select, "choice", list, place, [])
    named = {str(number): choice for number, choice in enumerate(choices[:MAX_PARAMS])}
    return {
        "label": _text(param, "label", place, MAX_LABEL),
        "choices": [_text(named, number, place, MAX_LABEL) for number in named],
        "several": select.get("how-many") == "one-or-more",
        "stands_for": _props(param, "aggregates", place)[:MAX_PARAMS],
    }


def _named_params(
    statements: list[dict[str, Any]], params: Mapping[str, Node]
) -> dict[str, Node]:
    """The parameters that the text names, and those that they name in turn.

    An enhancement may name one of its base control. Raises CatalogFault for one that
    no control has.
    """
    waiting = [
        (f"part {part['id']}", key)
        for part in statements
        for key in INSERT.findall(part["prose"])
    ]
    named: dict[str, Node] = {}
    while waiting:
        place, key = waiting.pop()
        if key in named:
            continue
        if key not in params:
            raise CatalogFault(
                f"{_begun(place)}: it names parameter {key}, which no control has."
            )
        named[key] = params[key]
        choices = params[key]["choices"]
        place = f"parameter {key}"
        waiting += [(place, key) for text in choices for key in INSERT.findall(text)]
        waiting += [(place, key) for key in params[key]["stands_for"]]
    return named
