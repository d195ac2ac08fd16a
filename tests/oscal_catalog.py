"""A catalog in OSCAL's shape for tests: our controls and parts, words made up here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from controls.models import Control

SENTENCE = "Words about {label} that were made for a test"


def catalog(version: str = "5.2.0", words: str = SENTENCE) -> dict[str, Any]:
    """A document with every live control that is loaded, part by part.

    `words` stand in each part that has no parts of its own; `{label}` in them is the
    label of the control. AC-2 (h.1) and (j) name parameters, AC-7 (b) one with choices.
    """
    groups: dict[str, dict[str, Any]] = {}
    bases: dict[str, dict[str, Any]] = {}
    for control in Control.objects.select_related("parent").order_by("sort_order"):
        node = _control(control, words)
        if control.parent is not None:
            bases[control.parent.ref_id].setdefault("controls", []).append(node)
            continue
        bases[control.ref_id] = node
        group = groups.setdefault(
            control.family, {"id": control.family, "title": "G", "controls": []}
        )
        group["controls"].append(node)
    _add_parameters(bases)
    metadata = {
        "title": "Made-up controls",
        "version": version,
        "last-modified": "2026-01-01T00:00:00Z",
        "oscal-version": "1.1.3",
    }
    return {"catalog": {"metadata": metadata, "groups": list(groups.values())}}


def as_bytes(document: dict[str, Any]) -> bytes:
    """The document as a file."""
    return json.dumps(document).encode()


def control_in(document: dict[str, Any], ref_id: str) -> dict[str, Any]:
    """A control of the document, to change it."""
    controls = [
        control
        for group in document["catalog"]["groups"]
        for base in group["controls"]
        for control in (base, *base.get("controls", []))
    ]
    (found,) = (control for control in controls if control["id"] == ref_id)
    return found  # type: ignore[no-any-return]


def part_in(control: dict[str, Any], statement_id: str) -> dict[str, Any]:
    """A part of a control's statement, to change it."""
    waiting = list(control["parts"])
    while waiting:
        part: dict[str, Any] = waiting.pop()
        if part["id"] == statement_id:
            return part
        waiting += part.get("parts", [])
    raise KeyError(statement_id)


def _control(control: Control, words: str) -> dict[str, Any]:
    node: dict[str, Any] = {
        "id": control.ref_id,
        "title": control.title,
        "props": [{"name": "label", "value": control.label}],
    }
    if control.withdrawn:
        node["props"].append({"name": "status", "value": "withdrawn"})
        return node
    prose = words.format(label=control.label)
    node["parts"] = [
        *_parts(control.statements, prose),
        {
            "id": f"{control.ref_id}_gdn",
            "name": "guidance",
            "prose": "Why so.\n\nMore.",
        },
    ]
    return node


def _parts(statements: Iterable[dict[str, Any]], prose: str) -> list[dict[str, Any]]:
    top: list[dict[str, Any]] = []
    open_parts: list[list[dict[str, Any]]] = [top]
    for statement in statements:
        part: dict[str, Any] = {"id": statement["id"], "name": statement["name"]}
        if statement["label"]:
            part["props"] = [{"name": "label", "value": statement["label"]}]
        part["prose"] = f"{prose}, {statement['id'].rpartition('_smt')[2]}"
        del open_parts[statement["depth"] + 1 :]
        open_parts[-1].append(part)
        open_parts.append(part.setdefault("parts", []))
    return top


def _add_parameters(bases: dict[str, dict[str, Any]]) -> None:
    accounts, logons, policy = bases["ac-2"], bases["ac-7"], bases["ac-1"]
    accounts["params"] = [
        {"id": "ac-02_odp.06", "label": "time"},
        {"id": "ac-02_odp.10", "label": "frequency"},
    ]
    part_in(accounts, "ac-2_smt.h.1")["prose"] = (
        "Tell within {{ insert: param, ac-02_odp.06 }} ; and"
    )
    part_in(accounts, "ac-2_smt.j")["prose"] = (
        "Look at accounts {{ insert: param, ac-02_odp.10 }}."
    )
    logons["params"] = [
        {
            "id": "ac-07_odp.03",
            "select": {
                "how-many": "one-or-more",
                "choice": ["lock it for {{ insert: param, ac-07_odp.04 }} ", "tell us"],
            },
        },
        {"id": "ac-07_odp.04", "label": "minutes"},
    ]
    part_in(logons, "ac-7_smt.b")["prose"] = "Then {{ insert: param, ac-07_odp.03 }}."
    policy["params"] = [
        {
            "id": "ac-1_prm_1",
            "label": "whoever reads it",
            "props": [
                {"name": "aggregates", "value": "ac-01_odp.05"},
                {"name": "aggregates", "value": "ac-01_odp.07"},
            ],
        },
        {"id": "ac-01_odp.05", "label": "often"},
        {"id": "ac-01_odp.07", "label": "often too"},
    ]
    part_in(policy, "ac-1_smt.a")["prose"] = "For {{ insert: param, ac-1_prm_1 }}:"
