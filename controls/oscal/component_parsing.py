"""AWS's services out of a ZIP file of OSCAL component definitions. Runs confined.

The reader (`answer_services`) writes one JSON record a line, imports nothing of SRM:
`["service", {...}]` for each service, in the order of files, and last
`["end", number of files]`, or `["refused", sentence]` at whatever place something is
wrong. Nothing of files that end so may be kept. What a file refers to is fetched from
nowhere: regions are those of the files themselves.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

MAX_FILES = 1_000
MAX_FILE_BYTES = 3_000_000  # of one definition
MAX_ALL_BYTES = 60_000_000  # of all of them
MAX_DEPTH = 64  # IN-02
MAX_SERVICES = 5_000
MAX_OF_SERVICE = 2_000  # names, regions, rules or controls of one
MAX_TITLE = 200  # characters
MAX_WORD = 200  # characters of a property
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}|global")
UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Node = Mapping[str, Any]


class ComponentFault(Exception):
    """Why the files are not taken: one sentence that says what and where."""


def answer_services(body: BinaryIO, answer: BinaryIO) -> None:
    """Write the records of a ZIP file of component definitions."""
    try:
        definitions = dict(_definitions(body))
        for record in _services(definitions):
            _write(answer, ["service", record])
        _write(answer, ["end", len(definitions)])
    except ComponentFault as fault:
        _write(answer, ["refused", str(fault)])


def _write(answer: BinaryIO, record: list[Any]) -> None:
    answer.write(json.dumps(record).encode() + b"\n")


def _definitions(body: BinaryIO) -> Iterator[tuple[str, Node]]:
    """Name and content of each definition, in the order of names."""
    try:
        archive = zipfile.ZipFile(body)
        names = sorted(
            member.filename
            for member in archive.infolist()
            if member.filename.endswith(".json") and not _is_hidden(member.filename)
        )
        if not names:
            raise ComponentFault("The ZIP file holds no file that ends in .json.")
        if len(names) > MAX_FILES:
            raise ComponentFault(f"The ZIP file holds more than {MAX_FILES:,} files.")
        if len(set(names)) < len(names):
            raise ComponentFault("The ZIP file holds two files of one name.")
        left = MAX_ALL_BYTES
        for name in names:
            content = _content(archive, name)
            left -= len(content)
            if left < 0:
                raise ComponentFault("The files are larger than 60 MB together.")
            shown = name.rpartition("/")[2][:100]
            yield shown, _definition(content, shown)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as fault:
        raise ComponentFault("The file is no ZIP file that can be read.") from fault
    except RuntimeError as fault:  # a password is needed
        raise ComponentFault("The ZIP file is encrypted.") from fault


def _is_hidden(name: str) -> bool:
    """What a Mac adds to its archives, and files whose name begins with a dot."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise ComponentFault(f"{name[:100]}: the file is larger than 3 MB.")
    return content


def _definition(content: bytes, name: str) -> Node:
    """What stands below the root key. A name that stands twice is refused, too."""
    try:
        document = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ComponentFault(f"{name}: it is nested too deep.") from None
    except (ValueError, UnicodeDecodeError) as fault:
        why = str(fault).partition(":")[0][:80]
        raise ComponentFault(f"{name}: it is not JSON ({why}).") from None
    if isinstance(document, dict | list) and _depth(document) > MAX_DEPTH:
        raise ComponentFault(f"{name}: it is nested too deep.")
    if not isinstance(document, dict) or "component-definition" not in document:
        raise ComponentFault(f"{name}: it has no “component-definition” at its top.")
    definition = document["component-definition"]
    if not isinstance(definition, dict):
        raise ComponentFault(f"{name}: “component-definition” is no group of names.")
    return definition


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in one group")
    return members


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _depth(document: Any) -> int:
    """How deep it is nested, without recursion."""
    deepest, level = 0, [document]
    while level:
        deepest += 1
        level = [
            member
            for node in level
            for member in (node.values() if isinstance(node, dict) else node)
            if isinstance(member, dict | list)
        ]
    return deepest


def _services(definitions: Mapping[str, Node]) -> Iterator[dict[str, Any]]:
    """Each service once; raises ComponentFault for one that is there twice."""
    components = {
        name: _nodes(definition, "components", name)
        for name, definition in definitions.items()
    }
    regions = _regions(components)
    seen: set[str] = set()
    for name, of_file in components.items():
        services = [node for node in of_file if node.get("type") == "service"]
        rules = [node for node in of_file if node.get("type") == "software"]
        made = [_service(node, name, regions) for node in services]
        for service in made:
            for key in ("uuid", "aws_id"):
                if service[key] in seen:
                    what = f"service {service['aws_id']}"
                    raise ComponentFault(f"{name}: {what} is in the files twice.")
                seen.add(service[key])
        _give_rules(made, rules, name)
        yield from made
    if not seen:
        raise ComponentFault("The files describe no service.")
    if len(seen) > 2 * MAX_SERVICES:
        raise ComponentFault(f"The files describe more than {MAX_SERVICES:,} services.")


def _regions(components: Mapping[str, list[Node]]) -> dict[str, str]:
    """The id of each region by the uuid of its component."""
    regions = {}
    for name, of_file in components.items():
        for node in of_file:
            if node.get("type") == "region":
                (region,) = _props(node, "region-id", name) or [""]
                if not REGION.fullmatch(region):
                    raise ComponentFault(f"{name}: “{region[:40]}” is no region.")
                regions[_uuid(node, name)] = region
    return regions


def _service(node: Node, name: str, regions: Mapping[str, str]) -> dict[str, Any]:
    ids = _props(node, "service-id", name)
    if not ids:
        raise ComponentFault(f"{name}: a service has no “service-id”.")
    title = _text(node, "title", name, MAX_TITLE)
    place = f"{name}, service {ids[0]}"
    prefixes = _props(node, "iamServicePrefix", place)
    offered = set()
    for link in _nodes(node, "links", place):
        if link.get("rel") != "provided-by":
            continue
        fragment = str(link.get("resource-fragment"))
        if fragment not in regions:
            raise ComponentFault(
                f"{place}: it is offered in a region that none of the files describes."
                " Bring AWS's file of regions with the others."
            )
        offered.add(regions[fragment])
    return {
        "uuid": _uuid(node, place),
        "aws_id": ids[0],
        "title": title,
        "names": _props(node, "label", place),
        "iam_prefixes": prefixes,
        "prefixes": _distinct(
            word
            for prop in ("apiEndpointPrefix", "arnNamespace", "cloudTrailEventSource")
            for word in _props(node, prop, place)
        ),
        "availability": _props(node, "availability", place),
        "stage": (_props(node, "lifecycle-stage", place) or [""])[0],
        "regions": sorted(offered),
        "config_rules": [],
        "hub_controls": _hub_controls(node, place),
        "file": name,
    }


def _give_rules(made: list[dict[str, Any]], rules: list[Node], name: str) -> None:
    """Each Config rule of a file to the service whose Security Hub controls it
    implements; to the first of the file where it implements none of theirs."""
    for rule in rules:
        for rule_id in _props(rule, "ConfigRuleId", name):
            implements = set(_hub_controls(rule, name))
            of_service = next(
                (s for s in made if implements & set(s["hub_controls"])),
                made[0] if made else None,
            )
            if of_service is not None and rule_id not in of_service["config_rules"]:
                of_service["config_rules"].append(rule_id)
    for service in made:
        service["config_rules"].sort()


def _hub_controls(node: Node, place: str) -> list[str]:
    return _distinct(
        _text(requirement, "control-id", place, MAX_WORD)
        for group in _nodes(node, "control-implementations", place)
        for requirement in _nodes(group, "implemented-requirements", place)
    )


def _props(node: Node, name: str, place: str) -> list[str]:
    """The values of the properties of a name, each once."""
    return _distinct(
        _text(prop, "value", place, MAX_WORD)
        for prop in _nodes(node, "props", place)
        if prop.get("name") == name
    )


def _distinct(words: Iterator[str]) -> list[str]:
    distinct = list(dict.fromkeys(word for word in words if word))
    if len(distinct) > MAX_OF_SERVICE:
        raise ComponentFault(f"A service has more than {MAX_OF_SERVICE:,} of one kind.")
    return distinct


def _nodes(node: Node, name: str, place: str) -> list[Node]:
    members = node.get(name, [])
    if not isinstance(members, list) or not all(isinstance(m, dict) for m in members):
        raise ComponentFault(f"{place}: “{name}” is no list of groups of names.")
    return members


def _uuid(node: Node, place: str) -> str:
    uuid = node.get("uuid")
    if not isinstance(uuid, str) or not UUID.fullmatch(uuid):
        raise ComponentFault(f"{place}: a component has no uuid.")
    return uuid


def _text(node: Node, name: str, place: str, limit: int) -> str:
    text = node.get(name)
    if not isinstance(text, str) or not text.strip():
        raise ComponentFault(f"{place}: “{name}” is no text.")
    if len(text) > limit:
        raise ComponentFault(f"{place}: “{name}” is longer than {limit} characters.")
    if UNPRINTABLE.search(text):
        raise ComponentFault(f"{place}: “{name}” holds what cannot be shown.")
    return text.strip()
