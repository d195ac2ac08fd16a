"""R9, IN-02: a provider's plan and the plan of who leans on it, as NIST's pair of
examples: imported by page, API and command; what is wrong is named with its place."""

from __future__ import annotations

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from controls import clock
from controls.errors import Refused
from controls.models import ProviderDocument
from controls.oscal.plans import PlanFile
from controls.provider_documents.plans import read_plan_statements
from controls.retrospect import approve
from tests.controls.oscal.pair import (
    LEVERAGED,
    LEVERAGING,
    asked_for,
    leveraged,
    leveraging,
    offered,
)
from tests.controls.provider_documents import class_of, form, second_officer

pytestmark = pytest.mark.django_db
REQUIREMENT = "system-security-plan/control-implementation/implemented-requirements[0]"
PART = f"{REQUIREMENT}/statements[0]"
NAME = "control ac-2 has no statement ac-2_stmt.a. Is ac-2_smt.a meant?"
FAULTS = (
    f"Not right in {LEVERAGING} at {PART}/by-components[1]/satisfied[0]/"
    f"responsibility-uuid: {offered(1)} is the UUID of something provided, not of a"
    " responsibility.",
    f"Not right in {LEVERAGED} at {PART}/by-components[0]/export/responsibilities[0]:"
    f" {LEVERAGING} satisfies the responsibility {asked_for(1)} nowhere.",
    f"Not right in {LEVERAGED} at {PART}/statement-id: {NAME}",
    f"Not right in {LEVERAGING} at {PART}/statement-id: {NAME}",
)


def sent(own: bytes | None = None) -> dict[str, SimpleUploadedFile]:
    """The two files as a browser or a program sends them."""
    files = {"file": SimpleUploadedFile(LEVERAGED, leveraged(), "application/json")}
    own = leveraging() if own is None else own
    files["own_plan"] = SimpleUploadedFile(LEVERAGING, own, "application/json")
    return files


def test_the_page_shows_its_faults_before_and_after_it_is_adopted(
    system, oscar, as_user
) -> None:
    browser = as_user(oscar)
    address = reverse("evidence:provider_upload", args=[system.slug])
    answer = browser.post(address, form() | sent())
    assert answer.status_code == 302, answer.context["form"].errors
    page = " ".join(browser.get(answer.url).content.decode().split())
    for fault in FAULTS:
        assert f"<li>{fault}</li>" in page

    browser.post(f"{answer.url}adopt/")

    document = ProviderDocument.objects.get()
    duty = "Left to us, (a), Application: Name who uses component 2."
    assert duty in document.statements.get().text
    assert document.left_out[:4] == list(FAULTS)
    assert document.left_out[4].startswith(
        f"Held against your own plan {LEVERAGING}, SHA-256 "
    )
    today = system.day_of(clock.now())
    approve(document.change, by=second_officer(system, oscar), today=today)
    assert class_of(system, "ac-2", today).facts.responsibility == "shared"
    shown = browser.get(reverse("evidence:provider_document", args=[document.uuid]))
    assert FAULTS[0] in shown.content.decode()


def test_the_api_answers_the_same(system, oscar, as_user) -> None:
    browser = as_user(oscar)
    listing = f"/api/v1/systems/{system.slug}/provider-documents/"
    compared = browser.post(f"{listing}preview/", sent())
    assert compared.status_code == 200, compared.content
    assert compared.json()["left_out"][:4] == list(FAULTS)
    assert not ProviderDocument.objects.exists()

    facts = {"title": "Plan", "reference": "1", "starts_on": "2026-06-01"}
    once = {"HTTP_IDEMPOTENCY_KEY": "pair-1"}
    adopted = browser.post(listing, facts | sent(), **once)
    assert adopted.status_code == 201, adopted.content
    assert adopted.json()["left_out"][:4] == list(FAULTS)
    assert [s["control_id"] for s in adopted.json()["statements"]] == ["ac-2"]
    again = browser.post(listing, facts | sent(), **once)
    assert again.json() == adopted.json()
    other = browser.post(listing, facts | sent(leveraging("ac-2_smt.a")), **once)
    assert other.status_code == 422
    assert ProviderDocument.objects.count() == 1


def test_the_command_prints_the_same(system, oscar, tmp_path, capsys) -> None:
    for name, content in ((LEVERAGED, leveraged()), (LEVERAGING, leveraging())):
        (tmp_path / name).write_bytes(content)
    whole = ["--title", "Plan", "--reference", "1", "--starts-on", "2026-06-01"]
    call_command(
        "import_provider_document", system.slug, str(tmp_path / LEVERAGED),
        "--own-plan", str(tmp_path / LEVERAGING), "--by", oscar.email, *whole,
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert all(fault in printed for fault in FAULTS)
    assert ProviderDocument.objects.get().left_out[:4] == list(FAULTS)
    with pytest.raises(SystemExit) as ended:
        call_command(
            "import_provider_document", system.slug, str(tmp_path / LEVERAGED),
            "--own-plan", str(tmp_path / "nothing.json"),
        )  # fmt: skip
    assert ended.value.code == 2
    assert "nothing.json cannot be read" in capsys.readouterr().err


def test_a_pair_without_faults_has_none_named() -> None:
    statements = read_plan_statements(
        PlanFile(LEVERAGED, leveraged("ac-2_smt.a")),
        PlanFile(LEVERAGING, leveraging("ac-2_smt.a", asked_for(1))),
    )
    (sentence,) = statements.left_out
    assert re.fullmatch(rf"Held against .*{LEVERAGING}, SHA-256 \w{{64}}\.", sentence)


def test_two_plans_that_are_too_large_together_are_not_read() -> None:
    with pytest.raises(Refused, match="two files together are larger than 20 MB"):
        read_plan_statements(
            PlanFile(LEVERAGED, leveraged()), PlanFile(LEVERAGING, b" " * 19_999_999)
        )


def test_what_is_no_such_pair_is_refused_with_a_sentence(
    system, oscar, as_user
) -> None:
    browser = as_user(oscar)
    listing = f"/api/v1/systems/{system.slug}/provider-documents/preview/"
    alone = {"file": SimpleUploadedFile(LEVERAGING, leveraging())}
    table = {"file": SimpleUploadedFile("matrix.csv", b"Control ID,Responsibility\n")}
    for files, sentence in (
        (alone, "yours may be sent beside it"),
        (table | {"own_plan": sent()["own_plan"]}, "and against no table"),
        (sent(json.dumps({"catalog": {}}).encode()), f"{LEVERAGING}: holds a catalog"),
        (sent(b"{"), f"{LEVERAGING}: not JSON"),
    ):
        refused = browser.post(listing, files)
        assert refused.status_code == 400, refused.content
        assert sentence in refused.content.decode()
        page = browser.post(
            reverse("evidence:provider_upload", args=[system.slug]),
            form() | {name: _again(file) for name, file in files.items()},
        )
        assert page.status_code == 422
    assert not ProviderDocument.objects.exists()


def _again(file: SimpleUploadedFile) -> SimpleUploadedFile:
    file.seek(0)
    return file
