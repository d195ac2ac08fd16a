"""R9, IN-02: a provider's security plan in OSCAL is read, previewed, and rules once an
officer adopts it; its faults are told and refuse nothing."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from controls import clock
from controls.errors import Refused
from controls.models import ProviderDocument
from controls.provider_documents.rows import read_statements
from controls.retrospect import approve
from tests.controls.provider_documents import class_of, form, second_officer

pytestmark = pytest.mark.django_db
SYSTEM_COMPONENT = str(uuid.UUID(int=1 << 124 | 4 << 76 | 8 << 60))


def key(number: int) -> str:
    """A UUID of version 4."""
    return str(uuid.UUID(int=number | 4 << 76 | 8 << 60))


def exporting(statement: str, *, provided: int = 0, left: int = 0) -> dict[str, Any]:
    """A part of a control with what the provider offers and what it leaves."""
    export: dict[str, Any] = {}
    if provided:
        text = "Halls are guarded."
        export["provided"] = [{"uuid": key(provided), "description": text}]
    if left:
        text = "Review who may enter,\nquarterly."
        export["responsibilities"] = [
            {"uuid": key(left), "provided-uuid": key(provided), "description": text}
        ]
    return {
        "statement-id": statement,
        "uuid": str(uuid.uuid4()),
        "by-components": [
            {
                "component-uuid": SYSTEM_COMPONENT,
                "uuid": str(uuid.uuid4()),
                "description": "As it is.",
                "export": export,
            }
        ],
    }


def plan_of(**controls: list[dict[str, Any]]) -> dict[str, Any]:
    """A plan with parts of controls; `pe_3` is PE-3."""
    return {
        "system-security-plan": {
            "uuid": key(9_999),
            "system-implementation": {
                "components": [{"uuid": SYSTEM_COMPONENT, "title": "Cloud"}]
            },
            "control-implementation": {
                "description": "All of it.",
                "implemented-requirements": [
                    {
                        "uuid": str(uuid.uuid4()),
                        "control-id": name.replace("_", "-"),
                        "statements": parts,
                    }
                    for name, parts in controls.items()
                ],
            },
        }
    }


def read(plan: Any, name: str = "plan.json") -> Any:
    content = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
    return read_statements(io.BytesIO(content), name)


def classes(plan: dict[str, Any]) -> dict[str, str]:
    return {row.control_id: row.responsibility for row in read(plan).rows}


def test_a_control_is_inherited_only_where_all_of_it_is_offered() -> None:
    letters = "abcdefg"
    whole = [exporting(f"pe-3_smt.{c}", provided=n) for n, c in enumerate(letters, 1)]
    assert classes(plan_of(pe_3=whole)) == {"pe-3": "inherited"}
    assert classes(plan_of(pe_3=whole[:-1])) == {"pe-3": "shared"}
    with_duty = [*whole[:-1], exporting("pe-3_smt.g", provided=7, left=8)]
    assert classes(plan_of(pe_3=with_duty)) == {"pe-3": "shared"}
    assert classes(plan_of(ac_2=[exporting("ac-2_smt.a", left=1)])) == {
        "ac-2": "customer"
    }
    silent = plan_of(pe_3=whole, ac_2=[exporting("ac-2_smt.a")])
    assert classes(silent) == {"pe-3": "inherited"}
    assert "The plan exports nothing of AC-2." in read(silent).left_out


def test_faults_of_its_references_are_told_and_refuse_nothing() -> None:
    """As in NIST's own pair: a part by another name, a duty of the wrong kind."""
    part = exporting("ac-2_stmt.a", provided=1, left=2)
    ours = part["by-components"][0]
    ours["satisfied"] = [
        {"uuid": key(3), "responsibility-uuid": key(1), "description": "Done."}
    ]
    ours["inherited"] = [
        {"uuid": key(4), "provided-uuid": key(77), "description": "Theirs."}
    ]
    statements = read(plan_of(ac_2=[part]))
    (row,) = statements.rows
    assert row.responsibility == "shared"
    told = "\n".join(statements.left_out)
    assert f"{key(1)} is the UUID of something provided, not of a responsib" in told
    assert f"{key(77)} is the UUID of nothing in these documents" in told
    assert "control ac-2 has no statement ac-2_stmt.a. Is ac-2_smt.a meant?" in told


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"catalog": {}}', "holds a catalog, no security plan"),
        (b'{"system-security-plan": {"a": 1, "a": 2}}', "stands twice"),
        (
            b'{"system-security-plan": ' + b'{"a":' * 80 + b"1" + b"}" * 80 + b"}",
            "more than 60 levels",
        ),
        (b'{"system-security-plan": NaN}', "not JSON"),
        (b'{"system-security-plan": {"a": ' + b"9" * 5_000 + b"}}", "not JSON"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///a">]><a>&b;</a>', "not JSON"),
        (b'{"system-security-plan": {"uuid": ""}}', "has no “export”"),
        (b"{}" + b" " * 20_000_000, "larger than 20 MB"),
    ],
)  # fmt: skip
def test_what_is_no_such_plan_is_refused_with_a_reason(content, sentence) -> None:
    with pytest.raises(Refused) as refusal:
        read(content)
    assert sentence in " ".join(refusal.value.messages)


def test_a_file_that_begins_with_a_mark_of_its_encoding_is_read() -> None:
    plan = plan_of(ac_2=[exporting("ac-2_smt.a", left=1)])
    (row,) = read(b"\xef\xbb\xbf" + json.dumps(plan).encode()).rows
    assert row.control_id == "ac-2"


def test_an_officer_previews_and_adopts_it(system, oscar, as_user) -> None:
    browser = as_user(oscar)
    part = exporting("pe-3_smt.a", provided=1, left=2)
    body = json.dumps(plan_of(pe_3=[part])).encode()
    upload = SimpleUploadedFile("plan.json", body, "application/json")
    address = reverse("evidence:provider_upload", args=[system.slug])
    sent = browser.post(address, form() | {"file": upload})
    assert sent.status_code == 302
    page = browser.get(sent.url).content.decode()
    assert "Nothing is saved yet" in page
    assert "Left to us, (a), Cloud: Review who may enter," in page
    assert not ProviderDocument.objects.exists()
    today = system.day_of(clock.now())
    assert class_of(system, "pe-3", today).facts.responsibility == "inherited"

    browser.post(f"{sent.url}adopt/")

    document = ProviderDocument.objects.get()
    statement = document.statements.get()
    assert (statement.responsibility, document.imported_by) == ("shared", oscar)
    assert "Review who may enter" in statement.text
    assert class_of(system, "pe-3", today).facts.responsibility == "inherited"
    approve(document.change, by=second_officer(system, oscar), today=today)
    assert class_of(system, "pe-3", today).facts.responsibility == "shared"


def test_the_command_says_what_would_change_and_adopts_for_an_officer(
    system, oscar, tmp_path, capsys
) -> None:
    path = tmp_path / "plan.json"
    part = exporting("pe-3_smt.a", provided=1, left=2)
    path.write_text(json.dumps(plan_of(pe_3=[part])))
    call_command("import_provider_document", system.slug, str(path))
    printed = capsys.readouterr().out
    assert "PE-3: shared, by our template inherited." in printed
    assert "Nothing was written." in printed
    assert not ProviderDocument.objects.exists()
    whole = ["--title", "Cloud plan", "--reference", "1", "--starts-on", "2026-06-01"]
    for arguments, code in (
        (["--by", oscar.email], 2),
        (["--by", "nobody@example.com", *whole], 2),
    ):
        with pytest.raises(SystemExit) as ended:
            call_command("import_provider_document", system.slug, str(path), *arguments)
        assert ended.value.code == code
    call_command(
        "import_provider_document", system.slug, str(path), "--by", oscar.email, *whole
    )
    assert "waits for a second officer" in capsys.readouterr().out
    document = ProviderDocument.objects.get()
    assert (document.title, document.state) == ("Cloud plan", "waiting")


def long_plan(padding: int) -> bytes:
    """A plan with a remark of so many bytes."""
    plan = plan_of(pe_3=[exporting("pe-3_smt.a", provided=1)])
    root = plan["system-security-plan"]
    root["control-implementation"]["description"] = "All of it. " * (padding // 11)
    return json.dumps(plan).encode()


def test_a_plan_of_12_mb_is_read_by_page_and_api(system, oscar, as_user) -> None:
    """What the page says is taken is taken; beyond it the length alone refuses."""
    content, browser = long_plan(12 * 1024 * 1024), as_user(oscar)
    address = reverse("evidence:provider_upload", args=[system.slug])
    upload = SimpleUploadedFile("plan.json", content)
    sent = browser.post(address, form() | {"file": upload})
    assert sent.status_code == 302
    assert browser.get(sent.url).status_code == 200
    api = f"/api/v1/systems/{system.slug}/provider-documents/preview/"
    answer = browser.post(api, {"file": SimpleUploadedFile("plan.json", content)})
    assert answer.status_code == 200, answer.content
    too_long = SimpleUploadedFile("plan.json", b"x" * (21 * 1024 * 1024))
    assert browser.post(address, form() | {"file": too_long}).status_code == 413
    too_long.seek(0)
    assert browser.post(api, {"file": too_long}).status_code == 413


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda part: part.pop("statement-id"),
         "implemented-requirements[0]/statements[0]/statement-id is missing"),
        (lambda part: part.update({"by-components": {}}),
         "implemented-requirements[0]/statements[0]/by-components has to be a list"),
        (lambda part: part["by-components"][0].update({"export": []}),
         "by-components[0]/export has to be an object"),
        (lambda part: part["by-components"][0]["export"]["provided"][0].update(
            {"description": 7}),
         "export/provided[0]/description has to be a text"),
        (lambda part: part["by-components"].append(None),
         "by-components[1] has to be an object"),
    ],
)  # fmt: skip
def test_what_has_another_shape_is_refused_with_its_place(change, sentence) -> None:
    """Nothing is left out silently: a part that cannot be read refuses the file."""
    part = exporting("pe-3_smt.a", provided=1, left=2)
    change(part)
    with pytest.raises(Refused) as refusal:
        read(plan_of(pe_3=[part]))
    (message,) = refusal.value.messages
    assert sentence in message
    assert message.startswith("plan.json: system-security-plan/control-implementation/")
