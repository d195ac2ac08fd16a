"""R5: an officer sends FedRAMP's CIS and CRM workbook as a provider filled it in.

Its rows are parts of controls, its sheets those of four baselines; published ones pad
ids, rename columns and add some.
"""

from __future__ import annotations

import datetime as dt
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from controls.models import Baseline, ProviderDocument
from controls.provider_documents.classes import class_of
from controls.provider_documents.ids import control_and_part
from tests import factories
from tests.controls.provider_documents import (
    FEDRAMP,
    HEAD,
    TABLE,
    fedramp_workbook,
    form,
    ids_of_parts,
    read,
    send,
    sheet,
    stated,
)
from tests.sheets import xlsx_bytes

pytestmark = pytest.mark.django_db

CORPORATE = "Service Provider Corporate"
CONFIGURED = "Configured by Customer (Customer System Specific)"
SHARED = "Shared (Service Provider and Customer Responsibility)"


@pytest.fixture
def government(oscar):
    """A system of FedRAMP's moderate baseline."""
    baseline = Baseline.objects.get(slug="fedramp-moderate")
    return factories.make_system(
        oscar, slug="government", baseline=baseline, regime="fedramp"
    )


def test_a_workbook_with_400_rows_filled_is_adopted(government, oscar, as_user):
    ids = ids_of_parts(government.baseline)
    assert len(ids) > 600
    answers = [("Yes", None), ("Partial", "We keep the halls, you the keys."), ("No",)]
    said = {each: answers[n % 3] for n, each in enumerate(ids[:400])}
    book = fedramp_workbook(ids, said)
    browser = as_user(oscar)

    sent = send(browser, government, text=book, name="Appendix J.xlsx")
    assert sent.status_code == 302, sent.context["form"].errors
    page = browser.get(sent.url)
    compared = page.context["compared"]
    assert not compared.errors
    controls = {control_and_part(each)[0] for each in ids[:400]}
    assert {c.implementation.control.ref_id for c in compared.stated} == controls
    left_out = "\n".join(compared.left_out)
    for title, why in (
        ("Instructions", "has no columns for control and responsibility."),
        ("Example CRM Worksheet Responses", "holds examples."),
        ("Moderate CIS Worksheet", "is not filled in."),
        ("High CRM Worksheet", "is not filled in."),
        ("Record of Change", "has no columns for control and responsibility."),
    ):
        assert f"Sheet “{title}” {why}" in left_out
        assert title in page.content.decode()

    done = browser.post(f"{sent.url}adopt/", follow=True).content.decode()
    assert "once approved, it rules from 2026-06-01" in done
    document = ProviderDocument.objects.get()
    assert document.statements.count() == len(compared.stated)
    assert document.left_out == list(compared.left_out)
    assert "holds examples" in done


def test_parts_that_are_left_empty_are_named(government):
    said = {"PE-3(a)": ("Yes", None), "AC-2(a)": ("Partial", "Both."), "PE-1": ()}
    book = fedramp_workbook(ids_of_parts(government.baseline), said)
    statements = stated(government, book)
    assert statements == {"pe-3": ("inherited", ""), "ac-2": ("shared", "(a) Both.")}
    (named,) = [s for s in read(book, "m.xlsx").left_out if "left empty" in s]
    assert named.startswith("Sheet “Moderate CRM Worksheet”, parts left empty")
    assert "PE-3 (b), (c), (d)" in named
    assert "PE-2" not in named  # the provider says nothing of it


def test_padded_ids_and_renamed_and_added_columns_are_read(government):
    head = [
        "Control ID",
        "Can Be Inherited from CSP (Acme)",
        "Acme PaaS Specific Inheritance and Customer Agency/CSP Responsibilities",
        "Can be inherited from AWS GovCloud",
        "Reviewed on",
    ]
    ids = ids_of_parts(government.baseline, padded=True)
    said = {
        "AC-02 (12) (a)": ("Partial", "Alarms.", "Yes", dt.date(2026, 1, 5)),
        "AC-02 (12) (b)": ("No", "Yours.", "Yes", dt.date(2026, 1, 5)),
    }
    book = fedramp_workbook(ids, said, head=head)
    assert stated(government, book) == {
        "ac-2.12": ("shared", "(a) Alarms.\n(b) Yours.")
    }
    assert (
        "Sheet “Moderate CRM Worksheet”, column D (“Can be inherited from AWS"
        " GovCloud”) is not read." in read(book, "m.xlsx").left_out
    )


def test_a_workbook_that_nobody_filled_in_says_nothing(government, oscar, as_user):
    book = fedramp_workbook(ids_of_parts(government.baseline))
    answer = send(as_user(oscar), government, text=book, name="m.xlsx")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "speaks of no control of this system" in page
    assert "“Moderate CRM Worksheet” is not filled in." in page


def test_the_summary_speaks_where_no_matrix_does(government):
    marks = {
        "PE-3(a)": [CORPORATE],
        "PE-3(b)": ["Inherited from Pre-Existing  Authorization", CORPORATE],
        "AC-2(a)": [SHARED],
        "AC-2(b)": [CORPORATE],
        "AC-4": [CONFIGURED],
        "CM-2(a)": [CORPORATE],
        "CM-2(b)": [CONFIGURED],
    }
    ids = ids_of_parts(government.baseline)
    assert stated(government, fedramp_workbook(ids, marks=marks)) == {
        "pe-3": ("inherited", ""),
        "ac-2": ("shared", ""),
        "ac-4": ("customer", ""),
        "cm-2": ("shared", ""),
    }
    both = fedramp_workbook(ids, {"AC-4": ("No", "Yours.")}, marks)
    assert stated(government, both) == {"ac-4": ("customer", "Yours.")}
    assert (
        "Sheet “Moderate CIS Worksheet” is a summary of implementation: what the"
        " matrix says is read." in read(both, "m.xlsx").left_out
    )


def test_a_mark_that_is_none_is_named(government):
    ids = ["PE-3(a)", "PE-3(b)"]
    book = fedramp_workbook(ids, marks={"PE-3(a)": [CORPORATE], "PE-3(b)": [SHARED]})
    with pytest.raises(AssertionError, match="“planned” is no mark"):
        stated(government, _with_cell(book, "Moderate CIS Worksheet", "G4", "planned"))


def _with_cell(book, title, cell, value):
    workbook = load_workbook(io.BytesIO(book))
    workbook[title][cell] = value
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def test_of_two_filled_baselines_the_systems_own_is_read(government):
    book = xlsx_bytes(
        sheets={
            "High CRM Worksheet": [FEDRAMP, ["AC-4", "Yes"], ["PE-3", "No"]],
            "Moderate CRM Worksheet": [FEDRAMP, ["AC-4", "No"]],
        }
    )
    assert stated(government, book) == {"ac-4": ("customer", "")}
    only_high = xlsx_bytes(sheets={"High CRM": [FEDRAMP, ["AC-4", "Yes"]]})
    assert stated(government, only_high) == {"ac-4": ("inherited", "")}


def test_one_wording_for_all_parts_is_kept_once(government):
    said = {f"AC-2({letter})": ("Partial", "Both of us.") for letter in "abc"}
    book = fedramp_workbook(list(said), said)
    assert stated(government, book) == {"ac-2": ("shared", "Both of us.")}


def test_a_column_of_parts_and_repeated_headings_are_understood(government):
    head = ["Control", "Part", "Responsibility", "Customer Responsibilities"]
    book = sheet(
        [
            head,
            ["AC-2", "a", "Customer", "You."],
            ["AC-2", "b.", "Shared", "Both."],
            head,
            ["PE-3", "", "Google Inherited", ""],
        ]
    )
    assert stated(government, book) == {
        "ac-2": ("shared", "(a) You.\n(b) Both."),
        "pe-3": ("inherited", ""),
    }


@pytest.mark.parametrize(
    ("cell", "responsibility"),
    [
        ("Yes", "inherited"),
        ("Inherited from AWS GovCloud", "inherited"),
        ("Fully Inherited (AWS)", "inherited"),
        ("Service Provider Hybrid (Corporate and System Specific)", "inherited"),
        ("Hybrid", "shared"),
        (SHARED, "shared"),
        ("Partially inherited", "shared"),
        (CONFIGURED, "customer"),
        ("Not Inherited", "customer"),
        ("CSC-owned", "customer"),
        ("Inherited (except backups)", None),
        ("Inherited from AWS but not the keys", None),
        ("Partially by us", None),
        ("N/A", None),
        ("", None),
    ],
)
def test_a_class_is_told_and_never_guessed(cell, responsibility):
    assert class_of(cell) == responsibility


def test_a_text_without_a_class_is_named():
    (error,) = read(HEAD + "AC-2,,Words\n").errors
    assert "the description has no class beside it" in str(error)


def test_a_control_with_a_wrong_line_is_left_out_whole(government, oscar, as_user):
    """R5: what is left of AC-2 would read inherited, and its (b) may be ours."""
    ids = ["AC-2(a)", "AC-2(b)", "PE-3(a)", "ZZ-9"]
    said = {
        "AC-2(a)": ("Yes",),
        "AC-2(b)": ("Maybe", "Ask us."),
        "PE-3(a)": ("No", "Yours."),
        "ZZ-9": ("Yes",),
    }
    browser = as_user(oscar)
    book = fedramp_workbook(ids, said)
    sent = send(browser, government, text=book, name="m.xlsx")
    page = browser.get(sent.url).content.decode()
    assert "“Maybe” is not inherited, shared or customer." in page
    assert "there is no control ZZ-9 in the catalog." in page
    assert "Because of them nothing is said of AC-2" in " ".join(page.split())

    refused = browser.post(f"{sent.url}adopt/")  # nobody said that they be left out
    assert refused.status_code == 422
    assert not ProviderDocument.objects.exists()

    again = send(browser, government, text=book, name="m.xlsx")
    done = browser.post(f"{again.url}adopt/", {"leave_out": "yes"}, follow=True)
    document = ProviderDocument.objects.get()
    (statement,) = document.statements.for_listing()
    assert statement.implementation.control.ref_id == "pe-3"
    assert "Because of these lines nothing is said of AC-2." in done.content.decode()


def test_the_api_adopts_the_rest_when_it_is_told_to(system, oscar, as_user):
    door = reverse("provider-document-list", args=[system.slug])
    text = f"{TABLE}ZZ-9,Shared,\n"
    browser = as_user(oscar)
    assert browser.post(door, form(text=text)).status_code == 400
    made = browser.post(door, form(text=text, leave_out="true"))
    assert made.status_code == 201, made.content
    assert len(made.json()["statements"]) == 3
    assert made.json()["left_out"] == [
        "Line 5, column A: there is no control ZZ-9 in the catalog."
    ]
