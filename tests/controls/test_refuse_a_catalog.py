"""A file that is no catalog is refused with what is wrong and where; nothing is kept.

UP-03, UP-08: the bytes are a stranger's. They are read by a confined process with
limits of size, depth and number.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest

from controls.errors import Refused
from controls.oscal.texts import MAX_CATALOG_BYTES, read_texts


def document() -> dict[str, Any]:
    """One control with two parts and a parameter: the shape, in little."""
    parts = [
        {"id": "xx-1_smt.a", "name": "item", "prose": "Do {{ insert: param, p }}."},
        {"id": "xx-1_smt.b", "name": "item", "prose": "Do more."},
    ]
    control: dict[str, Any] = {
        "id": "xx-1",
        "title": "T",
        "params": [{"id": "p", "label": "it"}],
        "parts": [{"id": "xx-1_smt", "name": "statement", "parts": parts}],
    }
    return {
        "catalog": {
            "metadata": {"title": "Little", "version": "1"},
            "groups": [{"id": "xx", "controls": [control]}],
        }
    }


def control_of(changed: dict[str, Any]) -> dict[str, Any]:
    return changed["catalog"]["groups"][0]["controls"][0]  # type: ignore[no-any-return]


def parts_of(changed: dict[str, Any]) -> list[dict[str, Any]]:
    return control_of(changed)["parts"][0]["parts"]  # type: ignore[no-any-return]


def nested(depth: int) -> dict[str, Any]:
    part: dict[str, Any] = {"id": "xx-1_smt.z", "name": "item"}
    for _ in range(depth):
        part = {"id": "xx-1_smt.y", "name": "item", "parts": [part]}
    return part


Change = Callable[[dict[str, Any]], object]
FAULTS: list[tuple[Change, str]] = [
    (lambda d: d["catalog"].pop("metadata"), "The catalog: “metadata” is not a group"),
    (
        lambda d: d["catalog"]["metadata"].pop("version"),
        "Metadata: “version” is empty.",
    ),
    (
        lambda d: d["catalog"].update(groups={"a": 1}),
        "The catalog: “groups” is not a list.",
    ),
    (
        lambda d: d["catalog"]["groups"].append(7),
        "The catalog: number 2 of “groups” is not a group of names and values.",
    ),
    (lambda d: control_of(d).pop("id"), "Group xx: control number 1 has no id."),
    (
        lambda d: control_of(d).update(id="XX 1"),
        "Group xx: control number 1 has no id.",
    ),
    (
        lambda d: d["catalog"]["groups"][0]["controls"].append(control_of(d)),
        "Control xx-1: it is in the file twice.",
    ),
    (lambda d: control_of(d).pop("parts"), "Control xx-1: it has no statement."),
    (
        lambda d: parts_of(d)[1].update(prose=["no text"]),
        "Part xx-1_smt.b: “prose” is not a text.",
    ),
    (
        lambda d: parts_of(d)[1].update(prose="x" * 20_001),
        "Part xx-1_smt.b: “prose” is longer than 20,000 characters.",
    ),
    (
        lambda d: parts_of(d)[1].update(prose="a\0b"),
        "Part xx-1_smt.b: “prose” holds a character that cannot be shown.",
    ),
    (
        lambda d: parts_of(d)[1].update(prose="{{ insert: param, q }}"),
        "Part xx-1_smt.b: it names parameter q, which no control has.",
    ),
    (lambda d: parts_of(d)[1].pop("id"), "Part xx-1_smt: a part of it has no id."),
    (lambda d: parts_of(d).append(nested(13)), "more than 12 levels."),
    (
        lambda d: parts_of(d).extend(dict(parts_of(d)[1]) for _ in range(300)),
        "Control xx-1: more than 300 parts.",
    ),
    (
        lambda d: control_of(d)["params"][0].update(select={"choice": [1]}),
        "Parameter p: “0” is not a text.",
    ),
    (
        lambda d: d["catalog"]["groups"][0].update(
            controls=[{"id": f"xx-{n}"} for n in range(3_001)]
        ),
        "The file has more than 3,000 controls.",
    ),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS, ids=[s for _, s in FAULTS])
def test_the_refusal_says_what_and_where(change: Change, sentence: str) -> None:
    changed = document()
    change(changed)
    with pytest.raises(Refused) as refusal:
        read_texts(BytesIO(json.dumps(changed).encode()))
    assert sentence in refusal.value.messages[0]


WHOLE = [
    (b"", "The file is not JSON: line 1, column 1."),
    (b'{"catalog": ', "The file is not JSON"),
    (b"\xff\xfe{}", "The file is not JSON"),
    (b"<catalog/>", "Bring the catalog in OSCAL's JSON format."),
    (b"[1]", "The file has no “catalog” at its top."),
    (b'{"profile": {}}', "It holds “profile”."),
    (b'{"catalog": 3}', "The file: “catalog” is not a group of names and values."),
    (b"[" * 2_000_000, "The file is not JSON"),
    (b"[" + b"[]," * 8_000_000 + b"1]", "too much time or memory"),
    (b" " * (MAX_CATALOG_BYTES + 1), "The file is larger than 25 MB."),
]


@pytest.mark.parametrize(("content", "sentence"), WHOLE, ids=[s for _, s in WHOLE])
def test_bytes_that_are_no_catalog_are_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_texts(BytesIO(content))
    assert sentence in refusal.value.messages[0]


def test_the_little_one_is_read() -> None:
    read = read_texts(BytesIO(json.dumps(document()).encode()))
    assert (read.version, read.title, list(read.texts)) == ("1", "Little", ["xx-1"])
    text = read.texts["xx-1"]
    assert [part["depth"] for part in text.statements] == [0, 1, 1]
    assert text.params["p"]["label"] == "it"
