"""An officer imports the provider's own document; it rules over our template."""

from __future__ import annotations

import datetime as dt
import io
import json

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from controls.errors import NotPermitted, Refused
from controls.models import (
    AuditEvent,
    ProviderDocument,
    ProviderStatement,
    ResponsibilityDecision,
)
from controls.provider_documents.adopt import adopt, end_document, preview
from controls.provider_documents.rows import control_and_part, read_statements
from controls.responsibility.decide import redecide
from controls.responsibility.overrides import decide_override, request_override
from evidence.status.control_status import control_statuses, moment_of
from tests import factories
from tests.sheets import xlsx_bytes

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
HEAD = "Control ID,Responsibility,Description\n"
# The template says: ac-4 customer, pe-3 inherited, si-2 shared.
TABLE = HEAD + (
    "AC-04,Shared,We filter what passes between tenants.\n"
    "PE-3,Inherited,We guard the halls.\n"
    "si-2,Customer,Patch what you run.\n"
)


@pytest.fixture
def today(system):
    return system.day_of(timezone.now())


def read(text, name="matrix.csv"):
    return read_statements(io.BytesIO(text.encode()), name)


def sheet(rows, title="CRM"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def adopted(system, by, today, text=TABLE, **changes):
    facts = {
        "title": "Responsibility matrix",
        "reference": "v1",
        "starts_on": today - 10 * DAY,
    } | changes
    return adopt(system, read(text), **facts, by=by, today=today)


def class_of(system, ref_id, day):
    pks = [factories.implementation(system, ref_id).pk]
    return control_statuses(system, moment_of(system, day, None), pks=pks)[0]


def form(text=TABLE, name="matrix.csv", **changes):
    content = text.encode() if isinstance(text, str) else text
    return {
        "title": "Responsibility matrix",
        "reference": "v1",
        "starts_on": "2026-06-01",
        "file": SimpleUploadedFile(name, content),
    } | changes


def send(browser, system, **said):
    url = reverse("evidence:provider_upload", args=[system.slug])
    return browser.post(url, form(**said))


# --- reading ------------------------------------------------------------------


@pytest.mark.parametrize("spelled", ["AC-2(1)", "ac-2.1", "AC-02(01)", "AC-2 (1)"])
def test_ids_are_understood_in_the_forms_people_write(spelled):
    rows = read(f'{HEAD}"{spelled}",Shared,Words\n').rows
    assert [row.control_id for row in rows] == ["ac-2.1"]


def test_columns_are_found_by_their_headings_in_each_sheet():
    content = sheet(
        [
            ["Customer responsibility matrix"],
            [],
            [
                "Control ID",
                "Can Be Inherited from CSP",
                "Specific Inheritance and Customer Responsibilities",
            ],
            ["PE-3", "Yes", "The halls are guarded."],
            ["AC-2", "Partial", "Ours and yours."],
            ["AC-4", "No", None],
            ["AC-11", None, None],
        ]
    )
    found = read_statements(io.BytesIO(content), "CRM.xlsx")
    assert not found.errors
    assert [(r.control_id, r.responsibility, r.text) for r in found.rows] == [
        ("pe-3", "inherited", "The halls are guarded."),
        ("ac-2", "shared", "Ours and yours."),
        ("ac-4", "customer", ""),
    ]
    assert str(found.rows[0].place) == "sheet “CRM”, line 4, column A"


def test_semicolons_and_old_encodings_are_read():
    text = "Control;Responsibility;Statement\r\nAC-2;shared;Caf\u00e9\r\n"
    content = text.encode("cp1252")
    rows = read_statements(io.BytesIO(content), "m.csv").rows
    assert (rows[0].control_id, rows[0].text) == ("ac-2", "Café")


def test_each_wrong_line_is_named_with_its_column():
    found = read(HEAD + "what,shared,\nAC-2,perhaps,\nAC-4,shared,fine\n")
    assert [str(error) for error in found.errors] == [
        "Line 2, column A: “what” is not the id of a control, such as AC-2(1).",
        "Line 3, column B: “perhaps” is not inherited, shared or customer.",
    ]


def test_a_line_after_a_text_of_several_lines_keeps_its_number():
    found = read(HEAD + 'AC-2,shared,"one\ntwo\nthree"\nAC-4,perhaps,\n')
    assert found.errors[0].place.line == 5


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "m.csv", "empty"),
        (b"x" * (5 * 1024 * 1024 + 1), "m.csv", "larger than 5 MB"),
        (b"Control,Responsibility\n", "m.pdf", ".csv or .xlsx"),
        (b"\0\1", "m.csv", "no text"),
        (b"PK\3\4 nothing", "m.xlsx", "cannot be read"),
        (b"a,b\n1,2\n", "m.csv", "No line names the columns"),
        (HEAD.encode() + b"AC-2,shared,\n" * 5001, "m.csv", "5,000 rows"),
        (HEAD.encode() + b"x\n" * 20_001, "m.csv", "20,000 lines"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(content, name, message):
    with pytest.raises(Refused) as refusal:
        read_statements(io.BytesIO(content), name)
    assert message in " ".join(refusal.value.messages)


FEDRAMP = [
    "Control ID",
    "Can Be Inherited from CSP",
    "Specific Inheritance and Customer Agency/CSP Responsibilities",
]


def test_r5_the_class_of_a_control_is_the_union_of_its_parts(system, oscar, as_user):
    parts = [
        FEDRAMP,
        ["AC-02 (a)", "Partial", "The provider does its part."],
        ["AC-02 (b)", "Partial", "The provider does the rest."],
        ["AC-03 (a)", "Yes", None],
        ["AC-03 (b)", "No", "Ours alone."],
        ["PE-03 (a)", "Yes", None],
        ["PE-03 (b)", "Yes", None],
        ["AC-14 a.", "No", "Ours alone."],
    ]
    answer = send(as_user(oscar), system, text=sheet(parts), name="m.xlsx")
    assert answer.status_code == 302
    rows = as_user(oscar).get(answer["Location"]).context["read"].rows
    classes = {row.control_id: (row.responsibility, row.text) for row in rows}
    assert classes == {
        "ac-2": (
            "shared",
            "(a) The provider does its part.\n(b) The provider does the rest.",
        ),
        "ac-3": ("shared", "(b) Ours alone."),
        "pe-3": ("inherited", ""),
        "ac-14": ("customer", "(a) Ours alone."),
    }


def test_a_part_that_stands_twice_is_named():
    rows = read(HEAD + "AC-2(a),Shared,\nAC-2(b),Shared,\nAC-2 (a),Inherited,\n").rows
    assert [row.place.line for row in rows] == [2, 3, 4]  # `preview` names the second


@pytest.mark.parametrize(
    ("text", "control_id", "part"),
    [
        ("AC-2(1)", "ac-2.1", ""),
        ("AC-02(01)(a)", "ac-2.1", "(a)"),
        ("ac-2 (a)(1)", "ac-2", "(a)(1)"),
        ("AC-2 b.", "ac-2", "(b)"),
        ("SC-7 (4) (c)", "sc-7.4", "(c)"),
        ("Access control (a)", "", "(a)"),
        ("(a)", "", "(a)"),
        ("", "", ""),
    ],
)
def test_parts_are_told_from_ids(text, control_id, part):
    assert control_and_part(text) == (control_id, part)


def test_sheets_of_examples_and_hidden_ones_are_left_out_and_named(
    system, oscar, as_user
):
    book = xlsx_bytes(
        sheets={
            "Example CRM Worksheet Responses": [
                ["Example CRM Worksheet Responses"],
                FEDRAMP,
                ["AC-3", "Partial", "An example of wording."],
            ],
            "Moderate CRM Worksheet": [
                ["Moderate"],
                FEDRAMP,
                ["AC-3", "Yes", None],
                ["PE-3", "Yes", None],
            ],
        }
    )
    answer = send(as_user(oscar), system, text=book, name="m.xlsx")
    assert answer.status_code == 302
    page = as_user(oscar).get(answer["Location"])
    rows = page.context["read"].rows
    assert {row.control_id: row.responsibility for row in rows} == {
        "ac-3": "inherited",
        "pe-3": "inherited",
    }
    assert (
        "Sheet “Example CRM Worksheet Responses” holds examples."
        in page.content.decode()
    )
    door = f"/api/v1/systems/{system.slug}/provider-documents/preview/"
    body = as_user(oscar).post(door, {"file": SimpleUploadedFile("m.xlsx", book)})
    assert body.json()["left_out"] == list(page.context["read"].left_out)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            HEAD + 'AC-2,Shared,"19 inch\nAC-3,Shared,x\nPE-3,Inherited,y\n',
            "Line 2: a quote is opened and never closed.",
        ),
        (HEAD + "AC-2,#REF!,x\n", "The cell holds the error #REF!"),
        (
            "Control ID,Responsibility,Responsibility\nAC-2,Shared,Inherited\n",
            "Two columns are called “Responsibility” (line 1, column B).",
        ),
    ],
)
def test_nothing_of_a_document_is_lost_without_a_word(
    text, sentence, system, oscar, as_user
):
    answer = send(as_user(oscar), system, text=text)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ProviderDocument.objects.exists()


def test_a_class_merged_over_several_lines_is_named(system, oscar, as_user):
    rows = [[*FEDRAMP], ["AC-2", "Yes"], ["AC-3"], ["PE-3", "Yes"]]
    book = xlsx_bytes(rows, change=lambda sheet: sheet.merge_cells("B2:B3"))
    answer = send(as_user(oscar), system, text=book, name="m.xlsx")
    assert answer.status_code == 422
    places = [str(error.place) for error in answer.context["row_errors"]]
    assert places == [
        "sheet “List”, line 2, column B",
        "sheet “List”, line 3, column B",
    ]


# --- comparing and adopting ---------------------------------------------------


def test_the_preview_lists_differences_and_writes_nothing(system, today):
    decisions = ResponsibilityDecision.objects.count()
    text = TABLE + "AC-2(3),Shared,Not in our baseline\nZZ-9,Shared,\nAC-4,Customer,\n"

    found = preview(system, read(text).rows, today=today)

    assert [
        (each.implementation.control.ref_id, each.template_class, each.responsibility)
        for each in found.differences
    ] == [("ac-4", "customer", "shared"), ("si-2", "shared", "customer")]
    assert found.outside == ("ac-2.3",)
    assert [str(error) for error in found.errors] == [
        "Line 6, column A: there is no control ZZ-9 in the catalog.",
        "Line 7, column A: AC-4 was said before, at line 2, column A.",
    ]
    assert ResponsibilityDecision.objects.count() == decisions
    assert not ProviderDocument.objects.exists()


def test_the_document_rules_on_its_days_and_the_basis_stays_ours(system, oscar, today):
    before = class_of(system, "ac-4", today).implementation["basis_id"]
    document = adopted(system, oscar, today)

    on = class_of(system, "ac-4", today)
    assert on.facts.responsibility == "shared"
    assert on.implementation["source"] == "provider-document"
    assert on.implementation["basis_id"] == before
    earlier = class_of(system, "ac-4", document.starts_on - DAY)
    assert earlier.facts.responsibility == "customer"
    assert factories.implementation(system, "ac-4").responsibility == "shared"
    decision = factories.implementation(system, "ac-4").decision
    assert decision.statement.text == "We filter what passes between tenants."
    assert redecide(system, by=oscar, reason="again") == 0


def test_one_wrong_line_keeps_everything_out(system, oscar, today):
    with pytest.raises(Refused) as refusal:
        adopted(system, oscar, today, TABLE + "ZZ-9,Shared,\n")
    assert "no control ZZ-9" in refusal.value.message_dict["file"][0]
    assert not ProviderDocument.objects.exists()
    assert factories.implementation(system, "ac-4").responsibility == "customer"


def test_it_is_recorded_in_the_audit_log(system, oscar, today):
    document = adopted(system, oscar, today)
    end_document(document, on=today, by=oscar)
    events = AuditEvent.objects.of_subject(document)
    assert [e.verb for e in events] == [
        "provider-document.imported",
        "provider-document.ended",
    ]
    body = json.loads(events[0].body)
    assert (body["statements"], body["differing"]) == (3, 2)
    assert body["sha256"] == document.sha256


def test_an_approved_override_rules_over_the_document(system, oscar, olga, today):
    adopted(system, oscar, today)
    control = factories.implementation(system, "ac-4")
    override = request_override(
        control,
        responsibility="customer",
        reason="We use none of theirs.",
        citation="Matrix, note 3",
        starts_on=today - 5 * DAY,
        ends_on=today - 2 * DAY,
        by=oscar,
    )
    decide_override(override, approve=True, by=olga)
    inside = class_of(system, "ac-4", today - 3 * DAY)
    assert inside.implementation["source"] == "override"
    assert inside.facts.responsibility == "customer"
    assert class_of(system, "ac-4", today - 6 * DAY).facts.responsibility == "shared"


@pytest.mark.parametrize(
    ("said", "united"), [("Inherited", "shared"), ("Customer", "customer")]
)
def test_after_an_override_the_union_is_with_the_document(
    said, united, system, oscar, olga, today
):
    # The template says shared for si-2: only the document explains “customer”.
    adopted(system, oscar, today, f"{HEAD}si-2,{said},Words\n")
    override = request_override(
        factories.implementation(system, "si-2"),
        responsibility="customer",
        reason="A year of our own.",
        citation="Matrix",
        starts_on=today - 5 * DAY,
        ends_on=today - 2 * DAY,
        by=oscar,
    )
    decide_override(override, approve=True, by=olga)
    after = class_of(system, "si-2", today)
    assert after.implementation["source"] == "override-expired"
    assert after.facts.responsibility == united


def test_after_its_end_the_template_holds_again(system, oscar, today):
    document = adopted(system, oscar, today)
    end_document(document, on=today, by=oscar)
    assert class_of(system, "ac-4", today).facts.responsibility == "customer"
    day = today - DAY
    assert class_of(system, "ac-4", day).facts.responsibility == "shared"


def test_the_past_knows_nothing_of_a_later_import(system, oscar, today):
    before = timezone.now()
    adopted(system, oscar, today)
    control = factories.implementation(system, "ac-4")
    then = control_statuses(system, moment_of(system, today, before), pks=[control.pk])[
        0
    ]
    assert then.facts.responsibility == "customer"


def test_a_newer_version_ends_the_older_on_its_day(system, oscar, today):
    older = adopted(system, oscar, today)
    newer = adopted(
        system,
        oscar,
        today,
        f"{HEAD}AC-4,Inherited,\n",
        reference="v2",
        starts_on=today,
    )
    older.refresh_from_db()
    assert (older.state, older.ended_on) == ("ended", today)
    assert newer.state == "current"
    assert class_of(system, "ac-4", today).facts.responsibility == "inherited"
    assert class_of(system, "ac-4", today - DAY).facts.responsibility == "shared"
    assert class_of(system, "si-2", today).facts.responsibility == "shared"


def test_a_version_that_starts_no_later_is_refused(system, oscar, today):
    adopted(system, oscar, today)
    with pytest.raises(Refused, match="must start later"):
        adopted(system, oscar, today, title="responsibility MATRIX", reference="v2")
    assert ProviderDocument.objects.get().state == "current"


def test_the_database_keeps_one_current_document_per_title(system, oscar, today):
    document = adopted(system, oscar, today)
    twin = ProviderDocument(
        system=system,
        imported_by=oscar,
        title=document.title.upper(),
        reference="v9",
        starts_on=today,
        file_name="x.csv",
        sha256="0" * 64,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


def test_statements_are_never_rewritten(system, oscar, today):
    adopted(system, oscar, today)
    with pytest.raises(Exception, match=r"permission denied|append-only"):
        with transaction.atomic():
            ProviderStatement.objects.update(text="other words")


@pytest.mark.parametrize("who", ["alice", "rita", "audrey", "mallory"])
def test_only_officers_adopt_and_end(who, request, system, oscar, today):
    person = request.getfixturevalue(who)
    with pytest.raises(NotPermitted):
        adopted(system, person, today)
    document = adopted(system, oscar, today)
    with pytest.raises(NotPermitted):
        end_document(document, on=today, by=person)


# --- pages --------------------------------------------------------------------


def test_upload_preview_adopt_and_read_the_differences(system, oscar, as_user):
    browser = as_user(oscar)
    sent = send(browser, system)
    assert sent.status_code == 302
    page = browser.get(sent.url).content.decode()
    assert "2 differ from our template" in page
    assert "We filter what passes between tenants." in page
    assert "We guard the halls." not in page  # it agrees
    assert not ProviderDocument.objects.exists()

    done = browser.post(f"{sent.url}adopt/", follow=True)

    page = done.content.decode()
    assert "rules from 2026-06-01" in page
    assert "We guard the halls." in page
    document = ProviderDocument.objects.get()
    assert (document.imported_by, document.file_name) == (oscar, "matrix.csv")
    again = browser.post(f"{sent.url}adopt/", follow=True).content.decode()
    assert "Nothing was added" in again  # the used preview shows what it made
    assert ProviderDocument.objects.count() == 1
    listed = browser.get(reverse("evidence:provider", args=[system.slug]))
    assert "Responsibility matrix, v1" in listed.content.decode()


def test_what_the_document_adds_to_us_asks_for_proof(system, oscar, as_user):
    browser = as_user(oscar)
    control = factories.implementation(system, "pe-3")
    assert not control.requirements.exists()
    sent = send(browser, system, text=f"{HEAD}PE-3,Shared,Guard your cage.\n")
    browser.post(f"{sent.url}adopt/")
    asked = control.requirements.get()
    assert asked.operates_from == dt.date(2026, 6, 1)


def test_wrong_lines_are_shown_beside_the_form(system, oscar, as_user):
    content = sheet([["Control ID", "Responsibility"], ["ZZ-9", "shared"]])
    answer = send(as_user(oscar), system, text=content, name="m.xlsx")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "1 line is not understood" in page
    assert "there is no control ZZ-9 in the catalog." in page
    assert "Responsibility matrix" in page  # what was typed is kept


def test_a_file_without_headings_is_refused_with_the_form(system, oscar, as_user):
    answer = send(as_user(oscar), system, text="a,b\n1,2\n")
    assert answer.status_code == 422
    assert "No line names the columns" in answer.content.decode()


def test_a_preview_belongs_to_the_one_who_sent_it(system, oscar, olga, as_user):
    sent = send(as_user(oscar), system)
    page = as_user(olga).get(sent.url, follow=True).content.decode()
    assert "send the file again" in page


def test_an_adoption_that_comes_too_late_shows_the_form(system, oscar, as_user, today):
    browser = as_user(oscar)
    sent = send(browser, system)
    adopted(system, oscar, today, starts_on=today)
    answer = browser.post(f"{sent.url}adopt/")
    assert answer.status_code == 422
    assert "must start later" in answer.content.decode()


def test_the_control_page_shows_the_providers_words(system, oscar, as_user, today):
    before = timezone.now()
    adopted(system, oscar, today)
    url = reverse("evidence:control", args=[system.slug, "ac-4"])
    browser = as_user(oscar)
    page = browser.get(url).content.decode()
    assert "We filter what passes between tenants." in page
    assert "Said by the provider's document" in page
    then = browser.get(url, {"known_at": before.isoformat()}).content.decode()
    assert "We filter what passes" not in then
    earlier = browser.get(url, {"on": str(today - 11 * DAY)}).content.decode()
    assert "We filter what passes" not in earlier


def test_a_document_is_ended_on_its_page(system, oscar, as_user, today):
    document = adopted(system, oscar, today)
    browser = as_user(oscar)
    url = reverse("evidence:provider_document_end", args=[document.uuid])
    early = browser.post(url, {"ended_on": str(today - 30 * DAY)})
    assert early.status_code == 422
    assert "cannot end before it starts" in early.content.decode()
    page = browser.post(url, {"ended_on": str(today)}, follow=True).content.decode()
    assert "The template holds again" in page
    assert "We filter what passes between tenants." in page  # differences stay readable
    assert browser.post(url, {"ended_on": str(today)}).status_code == 409


def test_the_template_lists_every_control(system, oscar, as_user):
    url = reverse("evidence:provider_template", args=[system.slug])
    text = as_user(oscar).get(url).content.decode()
    assert text.splitlines()[0] == "Control ID,Responsibility,Description,Title"
    assert len(text.splitlines()) == system.implementations.count() + 1
    assert not read(text).errors


@pytest.mark.parametrize(
    ("who", "reads", "writes"),
    [
        ("alice", 200, 403),
        ("rita", 200, 403),
        ("audrey", 200, 403),
        ("mallory", 404, 404),
    ],
)
def test_others_read_but_do_not_import(
    who, reads, writes, request, system, oscar, as_user, today
):
    document = adopted(system, oscar, today)
    browser = as_user(request.getfixturevalue(who))
    assert browser.get(f"/systems/{system.slug}/provider/").status_code == reads
    shown = reverse("evidence:provider_document", args=[document.uuid])
    assert browser.get(shown).status_code == reads
    assert send(browser, system).status_code == writes
    ended = browser.post(f"{shown}end/", {"ended_on": str(today)})
    assert ended.status_code == writes
    token = "11111111-1111-4111-8111-111111111111"
    previewed = f"/systems/{system.slug}/provider/{token}/"
    assert browser.get(previewed).status_code == writes
    assert browser.post(f"{previewed}adopt/").status_code == writes


def test_many_documents_cost_as_many_queries_as_one(
    system, oscar, as_user, today, django_assert_num_queries
):
    browser = as_user(oscar)
    url = reverse("evidence:provider", args=[system.slug])
    adopted(system, oscar, today)
    browser.get(url)
    with CaptureQueriesContext(
        connection,
    ) as one:
        browser.get(url)
    for number in range(3):
        adopted(system, oscar, today, title=f"Annex {number}")
    with django_assert_num_queries(len(one)):
        browser.get(url)


# --- the second door ----------------------------------------------------------


def test_the_api_compares_imports_reads_and_ends(system, oscar, as_user, today):
    browser = as_user(oscar)
    door = f"/api/v1/systems/{system.slug}/provider-documents/"
    file = form()["file"]
    compared = browser.post(f"{door}preview/", {"file": file}).json()
    assert [row["control_id"] for row in compared["differences"]] == ["ac-4", "si-2"]
    assert not ProviderDocument.objects.exists()

    made = browser.post(door, form())

    assert made.status_code == 201, made.content
    assert len(made.json()["statements"]) == 3
    listed = browser.get(door).json()["results"]
    assert [(row["statements"], row["differing"]) for row in listed] == [(3, 2)]
    one = f"{door}{made.json()['uuid']}/"
    assert browser.get(one).json()["statements"][0]["differs"] is True
    said = {"ended_on": str(today)}
    kind = "application/json"
    assert browser.post(f"{one}end/", said, kind).json()["state"] == "ended"
    assert browser.post(f"{one}end/", said, kind).status_code == 409


def test_the_api_names_wrong_lines_and_keeps_nothing(system, oscar, as_user):
    door = f"/api/v1/systems/{system.slug}/provider-documents/"
    answer = as_user(oscar).post(door, form(text=TABLE + "ZZ-9,Shared,\n"))
    assert answer.status_code == 400
    assert "Line 5, column A" in answer.json()["errors"]["file"][0]
    assert not ProviderDocument.objects.exists()


@pytest.mark.parametrize(
    ("who", "reads", "writes"), [("alice", 200, 403), ("mallory", 404, 404)]
)
def test_the_api_refuses_as_the_pages_do(who, reads, writes, request, system, as_user):
    browser = as_user(request.getfixturevalue(who))
    door = f"/api/v1/systems/{system.slug}/provider-documents/"
    assert browser.get(door).status_code == reads
    assert browser.post(door, form()).status_code == writes
    assert browser.post(f"{door}preview/", form()).status_code == writes
