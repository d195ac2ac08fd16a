"""Facts from an OSCAL catalog and OSCAL profiles: ids, titles, membership."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


class OscalProblem(Exception):
    """A document is not what it should be; says which file and where in it."""


@dataclass(frozen=True)
class ControlFact:
    """One control or enhancement as the catalog lists it."""

    control_id: str
    label: str
    title: str
    family: str
    family_title: str
    parent: str
    withdrawn: bool


@dataclass(frozen=True)
class StatementFact:
    """One part of a control's statement, named by its id."""

    control_id: str
    statement_id: str
    name: str
    label: str
    depth: int


@dataclass(frozen=True)
class CatalogFacts:
    """All facts of a catalog, in its own order."""

    version: str
    controls: tuple[ControlFact, ...]
    statements: tuple[StatementFact, ...]


def read(path: Path, root: str) -> Mapping[str, Any]:
    """The document below its root key. Raises OscalProblem."""
    try:
        document = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise OscalProblem(f"{path}: there is no such file.") from None
    except orjson.JSONDecodeError as fault:
        raise OscalProblem(f"{path}: not JSON: {fault}.") from None
    if not isinstance(document, dict) or root not in document:
        raise OscalProblem(f"{path}: has no “{root}” at its top.")
    document_body: Mapping[str, Any] = document[root]
    return document_body


def catalog_facts(path: Path) -> CatalogFacts:
    """Controls and statement ids of a catalog file. Raises OscalProblem."""
    catalog = read(path, "catalog")
    controls: list[ControlFact] = []
    statements: list[StatementFact] = []
    for group in catalog.get("groups", []):
        for control, parent in _controls(group, path):
            controls.append(_control(control, parent, group, path))
            statements.extend(_statements(control))
    version = str(catalog.get("metadata", {}).get("version", ""))
    return CatalogFacts(version, tuple(controls), tuple(statements))


def _controls(
    group: Mapping[str, Any], path: Path
) -> Iterator[tuple[Mapping[str, Any], str]]:
    for control in group.get("controls", []):
        if "id" not in control:
            raise OscalProblem(
                f"{path}: a control of group {group.get('id')} has no id."
            )
        yield control, ""
        for enhancement in control.get("controls", []):
            yield enhancement, control["id"]


def _control(
    control: Mapping[str, Any], parent: str, group: Mapping[str, Any], path: Path
) -> ControlFact:
    props = control.get("props", [])
    labels = [p["value"] for p in props if p["name"] == "label" and not _padded(p)]
    if not labels:
        raise OscalProblem(f"{path}: control {control['id']} has no label.")
    status = [p["value"].lower() for p in props if p["name"] == "status"]
    return ControlFact(
        control["id"],
        labels[0],
        control["title"],
        group["id"],
        group["title"],
        parent,
        "withdrawn" in status,
    )


def _padded(prop: Mapping[str, Any]) -> bool:
    return prop.get("class") in {"zero-padded", "sp800-53a"}


def _statements(control: Mapping[str, Any]) -> Iterator[StatementFact]:
    def walk(part: Mapping[str, Any], depth: int) -> Iterator[StatementFact]:
        label = next(
            (p["value"] for p in part.get("props", []) if p["name"] == "label"), ""
        )
        yield StatementFact(control["id"], part["id"], part["name"], label, depth)
        for child in part.get("parts", []):
            if child["name"] == "item":
                yield from walk(child, depth + 1)

    for part in control.get("parts", []):
        if part["name"] == "statement":
            yield from walk(part, 0)


@dataclass(frozen=True)
class Selection:
    """A control that a profile selects, with the values it sets for parameters."""

    control_id: str
    parameters: Mapping[str, str]


def profile_facts(path: Path, known: Mapping[str, ControlFact]) -> list[Selection]:
    """What a profile selects from a catalog, in the catalog's order.

    Raises OscalProblem for an id that the catalog does not have or has withdrawn.
    """
    profile = read(path, "profile")
    ids = _selected(profile)
    unknown = sorted(ids - set(known))
    if unknown:
        raise OscalProblem(f"{path}: selects unknown controls: {', '.join(unknown)}.")
    withdrawn = sorted(ref_id for ref_id in ids if known[ref_id].withdrawn)
    if withdrawn:
        raise OscalProblem(
            f"{path}: selects withdrawn controls: {', '.join(withdrawn)}."
        )
    values = _values(profile)
    return [
        Selection(control_id, values.get(control_id, {}))
        for control_id in known
        if control_id in ids
    ]


def _selected(profile: Mapping[str, Any]) -> set[str]:
    return {
        control_id.lower()
        for source in profile.get("imports", [])
        for include in source.get("include-controls", [])
        for control_id in include.get("with-ids", [])
    }


def _values(profile: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Values by control: a parameter's id begins with the control's (`ac-2_prm_1`)."""
    by_control: dict[str, dict[str, str]] = {}
    for setting in profile.get("modify", {}).get("set-parameters", []):
        control = _owner(setting["param-id"])
        values = [str(value) for value in setting.get("values", [])] or [
            str(constraint.get("description", ""))
            for constraint in setting.get("constraints", [])
        ]
        if any(values):
            by_control.setdefault(control, {})[setting["param-id"]] = "; ".join(values)
    return by_control


def _owner(parameter: str) -> str:
    """`ac-2.1` for `ac-2.1_prm_1` and for the padded `ac-02.01_odp.01`."""
    head = parameter.split("_")[0]
    family, _, number = head.partition("-")
    return f"{family}-" + ".".join(str(int(n)) for n in number.split("."))
