"""Whether what is read of a security plan has the shape that NIST's schema gives it.

Runs in the confined process. Of members that are not read nothing is asked.
Source: NIST, OSCAL 1.2, model of the system security plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controls.oscal.catalog import OscalProblem
from controls.oscal.documents import Document, Path
from controls.oscal.references import shown

TEXT = "a text"
GROUP = "an object"
LIST = "a list"
# A member is a text, which has to be there; or an object or a list of them, which need
# not.
EXPORTED: Mapping[str, Any] = {"uuid": TEXT, "description": TEXT}
BY_COMPONENT: Mapping[str, Any] = {
    "component-uuid": TEXT,
    "export": {"provided": [EXPORTED], "responsibilities": [EXPORTED]},
}
STATEMENT = {"statement-id": TEXT, "by-components": [BY_COMPONENT]}
REQUIREMENT = {
    "control-id": TEXT,
    "statements": [STATEMENT],
    "by-components": [BY_COMPONENT],
}
SHAPE: Mapping[str, Any] = {
    "system-implementation": {"components": [{"uuid": TEXT, "title": TEXT}]},
    "control-implementation": {"implemented-requirements": [REQUIREMENT]},
}


def require_shape(document: Document) -> None:
    """Raise OscalProblem naming the first place where something else stands."""
    _require(document, document.body, SHAPE, (document.kind,))


def _require(document: Document, node: Any, shape: Any, path: Path) -> None:
    if shape == TEXT:
        _require_kind(document, node, str, TEXT, path)
    elif isinstance(shape, list):
        _require_kind(document, node, list, LIST, path)
        for number, member in enumerate(node):
            _require(document, member, shape[0], (*path, number))
    else:
        _require_kind(document, node, dict, GROUP, path)
        for name, of_member in shape.items():
            if name in node:
                _require(document, node[name], of_member, (*path, name))
            elif of_member == TEXT:
                place = shown((*path, name))
                raise OscalProblem(f"{document.name}: {place} is missing.")


def _require_kind(
    document: Document, node: Any, kind: type, word: str, path: Path
) -> None:
    if not isinstance(node, kind):
        raise OscalProblem(f"{document.name}: {shown(path)} has to be {word}.")
