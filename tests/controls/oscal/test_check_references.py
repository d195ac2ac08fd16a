"""`manage.py check_oscal` names each reference of OSCAL that leads nowhere, and where.

NIST's own pair of a leveraged and a leveraging plan holds two faults of this kind; the
pair here has the same ones, written by us.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from controls.oscal.catalog import OscalProblem
from controls.oscal.documents import MAX_DEPTH, read_document

PROVIDED = "5b30a0d6-bcc5-5b71-915a-181aea4cd6eb"
LEFT = "feaeba9d-69b5-5c17-bd75-53cc89e98cac"
PLAN = "system-security-plan"
CONTROLS = f"{PLAN}/control-implementation/implemented-requirements[0]"


def uuid(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012}"


def plan(first: int, **by_component: Any) -> dict[str, Any]:
    """A plan of one statement by one component; other UUIDs count from `first`."""
    component = {"uuid": uuid(first + 1), "type": "this-system", "title": "It"}
    statement = {
        "statement-id": "ac-2_smt.a",
        "uuid": uuid(first + 2),
        "by-components": [
            {
                "component-uuid": component["uuid"],
                "uuid": uuid(first + 3),
                "description": "How.",
                **by_component,
            }
        ],
    }
    requirement = {
        "uuid": uuid(first + 4),
        "control-id": "ac-2",
        "statements": [statement],
    }
    return {
        "uuid": uuid(first),
        "metadata": {"oscal-version": "1.2.3", "roles": [{"id": "owner"}]},
        "system-implementation": {"components": [component]},
        "control-implementation": {"implemented-requirements": [requirement]},
    }


@pytest.fixture
def leveraged() -> dict[str, Any]:
    return plan(
        100,
        export={
            "provided": [{"uuid": PROVIDED, "description": "Accounts."}],
            "responsibilities": [
                {"uuid": LEFT, "provided-uuid": PROVIDED, "description": "Review."}
            ],
        },
    )


@pytest.fixture
def leveraging() -> dict[str, Any]:
    return plan(
        200,
        inherited=[{"uuid": uuid(210), "provided-uuid": PROVIDED}],
        satisfied=[{"uuid": uuid(211), "responsibility-uuid": LEFT}],
    )


def requirement_of(body: dict[str, Any]) -> Any:
    return body["control-implementation"]["implemented-requirements"][0]


def by_component_of(body: dict[str, Any]) -> Any:
    return requirement_of(body)["statements"][0]["by-components"][0]


class Checked:
    """What the command prints and how it ends, for documents in a folder."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, **documents: dict[str, Any]) -> tuple[int, list[str]]:
        paths = []
        for name, body in documents.items():
            paths.append(self.folder / f"{name}.json")
            paths[-1].write_text(json.dumps({"system-security-plan": body}))
        return self.paths(*paths)

    def paths(self, *paths: Path) -> tuple[int, list[str]]:
        code = 0
        try:
            call_command("check_oscal", *map(str, paths))
        except SystemExit as ended:
            code = int(str(ended.code))
        return code, self.capsys.readouterr().out.splitlines()


@pytest.fixture
def checked(tmp_path: Path, capsys: Any) -> Checked:
    return Checked(tmp_path, capsys)


def test_a_pair_without_faults_passes_together(checked, leveraged, leveraging) -> None:
    assert checked(a=leveraged, b=leveraging) == (
        0,
        ["2 documents checked: no faults."],
    )


def test_a_plan_without_the_one_it_leans_on_does_not(checked, leveraging) -> None:
    code, lines = checked(b=leveraging)
    assert code == 1
    assert lines[-1] == "1 document checked: 2 faults."
    assert f"{PROVIDED} is the UUID of nothing in these documents" in lines[0]


def test_both_faults_of_nists_pair_are_named(checked, leveraged, leveraging) -> None:
    """A `satisfied` that names what was provided, and an id of no statement."""
    by_component_of(leveraging)["satisfied"][0]["responsibility-uuid"] = PROVIDED
    for body in (leveraged, leveraging):
        requirement_of(body)["statements"][0]["statement-id"] = "ac-2_stmt.a"
    code, lines = checked(a=leveraged, b=leveraging)
    assert code == 1
    no_statement = "control ac-2 has no statement ac-2_stmt.a. Is ac-2_smt.a meant?"
    place = f"{CONTROLS}/statements[0]/by-components[0]/satisfied[0]"
    assert lines == [
        f"a.json: {CONTROLS}: {no_statement}",
        f"b.json: {CONTROLS}: {no_statement}",
        f"b.json: {place}/responsibility-uuid: {PROVIDED} is the UUID of something"
        " provided, not of a responsibility.",
        "2 documents checked: 3 faults.",
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: r.update({"control-id": "ac-99"}), "there is no control ac-99 in"),
        (
            lambda r: r.update({"responsible-roles": [{"role-id": "nobody"}]}),
            "there is no role nobody in the metadata.",
        ),
        (
            lambda r: r.update({"links": [{"href": f"#{uuid(9)}"}]}),
            f"#{uuid(9)} leads to nothing in this document.",
        ),
        (lambda r: r.update({"uuid": uuid(100)}), "stands at system-security-plan as"),
        (lambda r: r.update({"uuid": "1-2-3"}), "1-2-3 is no UUID of version 4 or 5."),
        (lambda r: r.update({"props": []}), "it is empty; OSCAL wants it left out."),
        (
            lambda r: r["statements"].append(
                {"statement-id": "ac-2_smt.a", "uuid": uuid(8)}
            ),
            "ac-2_smt.a stands 2 times in statements.",
        ),
        (
            lambda r: r.update(
                {
                    "props": [
                        {"name": "leveraged-authorization-uuid", "value": uuid(101)}
                    ]
                }
            ),
            "is the UUID of a component, not of a leveraged authorization.",
        ),
        (
            lambda r: r["statements"][0]["by-components"][0].update(
                {"component-uuid": "\x1b[2J" + "x" * 500}
            ),
            f"?[2J{'x' * 76}… is the UUID of nothing in these documents",
        ),
    ],
)
def test_each_loose_end_is_named(checked, leveraged, change, sentence) -> None:
    body = deepcopy(leveraged)
    first = body["control-implementation"]["implemented-requirements"]
    extra = deepcopy(first[0])
    extra |= {"control-id": "ac-3", "uuid": uuid(7), "statements": []}
    del extra["statements"]
    first.append(extra)
    change(first[0])
    code, lines = checked(a=body)
    assert code == 1
    assert [line for line in lines if sentence in line]


def test_a_document_of_another_catalog_says_so(checked, leveraged) -> None:
    requirement_of(leveraged)["control-id"] = "A.5.1"
    code, lines = checked(a=leveraged)
    assert code == 1
    assert "none of its controls is one of NIST SP 800-53 rev 5" in lines[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "not JSON"),
        (b"[]", "holds no OSCAL document"),
        (b'{"profile": 7}', "holds no OSCAL document"),
        (b"[" * 2_000, "not JSON"),
        (b'{"profile": {"uuid": NaN}}', "not JSON"),
        (b'{"profile": {"a": 1, "a": 2}}', "“a” stands twice in one object."),
        (
            b'{"profile": ' + b'{"a": ' * MAX_DEPTH + b"1" + b"}" * (MAX_DEPTH + 1),
            f"more than {MAX_DEPTH} levels",
        ),
    ],
)
def test_what_is_no_document_is_refused_not_crashed_on(
    checked, tmp_path, content, sentence
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    code, lines = checked.paths(path)
    assert code == 1
    assert sentence in lines[0]
    assert lines[-1] == "0 documents checked: 1 fault."


@pytest.mark.parametrize(
    "body",
    [
        {"uuid": 7, "metadata": "x", "props": [{"name": [], "value": {}}]},
        {"control-implementation": {"implemented-requirements": [None, 3, []]}},
        {"implemented-requirements": [{"control-id": ["ac-2"], "statements": [1]}]},
        {"party-uuids": [[], {}, None], "href": ["#x"], "roles": {"id": 3}},
    ],
)
def test_strange_shapes_do_not_end_it_with_an_error(checked, body) -> None:
    code, lines = checked(a=body)
    assert code in {0, 1}
    assert lines[-1].startswith("1 document checked: ")


def test_a_document_too_large_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("controls.oscal.documents.MAX_BYTES", 10)
    with pytest.raises(OscalProblem, match="larger than"):
        read_document("a.json", b'{"profile": {}}')


def test_a_file_that_is_not_there_is_wrong_use(checked, tmp_path) -> None:
    assert checked.paths(tmp_path / "none.json") == (2, [])
