"""An officer imports the provider's own document; it rules over our template."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction

from controls import clock
from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.lapses import lapse_requests
from controls.models import (
    AuditEvent,
    ProviderDocument,
    ProviderStatement,
    ResponsibilityDecision,
)
from controls.provider_documents.adopt import request_end
from controls.provider_documents.compare import preview
from controls.responsibility.decide import redecide
from controls.responsibility.overrides import decide_override, request_override
from controls.retrospect import approve, refuse
from evidence.status.control_status import control_statuses, moment_of
from tests import factories
from tests.controls.provider_documents import (
    DAY,
    HEAD,
    TABLE,
    adopted,
    class_of,
    ended,
    read,
    second_officer,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return dt.date(2026, 7, 15)


def test_the_preview_lists_differences_and_writes_nothing(system, today):
    decisions = ResponsibilityDecision.objects.count()
    text = TABLE + "AC-2(3),Shared,Not in our baseline\nZZ-9,Shared,\nAC-4,Customer,\n"

    found = preview(system, read(text), today=today)

    assert [
        (each.implementation.control.ref_id, each.template_class, each.responsibility)
        for each in found.differences
    ] == [("si-2", "shared", "customer")]
    assert found.withheld == ("ac-4",)  # which of its two lines is meant?
    assert found.outside == ("ac-2.3",)
    assert [str(error) for error in found.errors] == [
        "Line 6, column A: there is no control ZZ-9 in the catalog.",
        "Line 7, column A: AC-4 was said before, at line 2, column A.",
    ]
    assert ResponsibilityDecision.objects.count() == decisions
    assert not ProviderDocument.objects.exists()


def test_a_file_of_another_revision_says_so(system, today):
    """An earlier revision names what was withdrawn since, a newer one what is not there
    yet: neither is a control that the baseline leaves out."""
    rows = "SA-12,Inherited,\nAU-3(2),Shared,x\nAC-2(99),Shared,New\n"
    found = preview(system, read(TABLE + rows), today=today)
    assert found.outside == ()
    assert found.left_out == (
        "Withdrawn from NIST SP 800-53 rev 5 5.2.0: SA-12, AU-3(2). Nothing is said of"
        " them; the file may be of an earlier revision.",
        "Not in NIST SP 800-53 rev 5 5.2.0: AC-2(99). A newer revision may have it.",
    )
    assert "there is no control AC-2(99)" in str(found.errors[-1])


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
    assert redecide(system, by=oscar, reason="again", before=None) == 0


def test_one_wrong_line_keeps_everything_out(system, oscar, today):
    with pytest.raises(Refused) as refusal:
        adopted(system, oscar, today, TABLE + "ZZ-9,Shared,\n")
    assert "no control ZZ-9" in refusal.value.message_dict["file"][0]
    assert not ProviderDocument.objects.exists()
    assert factories.implementation(system, "ac-4").responsibility == "customer"


def test_it_is_recorded_in_the_audit_log(system, oscar, today):
    document = adopted(system, oscar, today)
    ended(document, oscar, today)
    events = AuditEvent.objects.of_subject(document)
    assert [e.verb for e in events] == [
        "provider-document.imported",
        "provider-document.adopted",
        "provider-document.end-requested",
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
        today=today - 5 * DAY,
    )
    decide_override(override, approve=True, by=olga, today=today - 5 * DAY)
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
        today=today - 5 * DAY,
    )
    decide_override(override, approve=True, by=olga, today=today - 5 * DAY)
    after = class_of(system, "si-2", today)
    assert after.implementation["source"] == "override-expired"
    assert after.facts.responsibility == united


def test_after_its_end_the_template_holds_again(system, oscar, today):
    document = adopted(system, oscar, today)
    ended(document, oscar, today)
    assert class_of(system, "ac-4", today).facts.responsibility == "customer"
    day = today - DAY
    assert class_of(system, "ac-4", day).facts.responsibility == "shared"


def test_the_past_knows_nothing_of_a_later_import(system, oscar, today):
    before = clock.now()
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
    twin.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderDocument.objects.filter(pk=twin.pk).update(state="current")


def test_nothing_rules_until_a_second_officer_agrees(system, oscar, olga, today):
    """R32: an inherited half asks nothing of us, so nobody takes ours away alone."""
    document = waiting(system, oscar, today, f"{HEAD}si-2,Inherited,Ours alone.\n")
    assert document.state == "waiting"
    assert class_of(system, "si-2", today).facts.responsibility == "shared"
    with pytest.raises(NotPermitted, match="other than the requester"):
        approve(document.change, by=oscar, today=today)
    redecide(system, by=oscar, reason="services changed", before=None)
    assert class_of(system, "si-2", today).facts.responsibility == "shared"

    approve(document.change, by=olga, today=today)

    assert class_of(system, "si-2", today).facts.responsibility == "inherited"
    decided = ResponsibilityDecision.objects.filter(statement__document=document)
    assert {row.change_id for row in decided} == {document.change_id}  # it lies back


def test_from_today_on_nothing_is_marked_as_changed_in_retrospect(system, oscar, today):
    document = adopted(system, oscar, today, starts_on=today)
    decided = ResponsibilityDecision.objects.filter(statement__document=document)
    assert decided.exists()
    assert {row.change_id for row in decided} == {None}


@pytest.mark.parametrize("outcome", ["refused", "lapsed"])
def test_what_is_not_agreed_to_never_rules(outcome, system, oscar, olga, today):
    document = waiting(system, oscar, today)
    with pytest.raises(TransitionNotAllowed, match="waits for a second officer"):
        waiting(system, oscar, today, title="RESPONSIBILITY matrix")
    if outcome == "refused":
        refuse(document.change, by=olga, today=today)
    else:
        assert lapse_requests(system, today + 31 * DAY) == 1
    document.refresh_from_db()
    assert document.state == "refused"
    assert class_of(system, "ac-4", today).facts.responsibility == "customer"
    with pytest.raises(TransitionNotAllowed, match="does not rule"):
        ended(document, oscar, today)
    assert waiting(system, oscar, today).state == "waiting"  # asked for again


def test_an_end_waits_too(system, oscar, olga, today):
    """The template inherits where the document leaves a half to us."""
    document = adopted(system, oscar, today, f"{HEAD}PE-3,Shared,Your cage.\n")
    change = request_end(
        document, ended_on=today, reason="Withdrawn.", by=olga, today=today
    )
    assert class_of(system, "pe-3", today).facts.responsibility == "shared"
    with pytest.raises(TransitionNotAllowed, match="already asked"):
        request_end(document, ended_on=today, reason="Too.", by=oscar, today=today)
    with pytest.raises(NotPermitted):
        approve(change, by=olga, today=today)
    approve(change, by=oscar, today=today)
    assert class_of(system, "pe-3", today).facts.responsibility == "inherited"


def test_an_adoption_lapses_behind_another_one(system, oscar, olga, today):
    older = adopted(system, oscar, today)
    newer = waiting(system, oscar, today, reference="v2", starts_on=today)
    ended(older, oscar, today)
    with pytest.raises(TransitionNotAllowed, match="ask for it again"):
        approve(newer.change, by=olga, today=today)
    newer.refresh_from_db()
    assert newer.state == "waiting"


def test_the_database_lets_nobody_adopt_or_end_alone(system, oscar, today):
    document = waiting(system, oscar, today)
    rows = ProviderDocument.objects.filter(pk=document.pk)
    alone = ProviderDocument(
        system=system,
        imported_by=oscar,
        title="Another",
        reference="v9",
        starts_on=today,
        state="current",
        file_name="x.csv",
        sha256="0" * 64,
    )
    for act in (lambda: rows.update(state="current"), alone.save):
        with pytest.raises(IntegrityError, match="R32"), transaction.atomic():
            act()
    refuse(document.change, by=second_officer(system, oscar), today=today)
    other = adopted(system, oscar, today)
    for change in (other.change, document.change):
        with pytest.raises(IntegrityError, match="R32"), transaction.atomic():
            rows.update(state="current", change=change)  # agreed of another one
        with pytest.raises(IntegrityError, match="R32"), transaction.atomic():
            ending = ProviderDocument.objects.filter(pk=other.pk)
            ending.update(
                state="ended", ended_on=today, ending=document.change, change=change
            )


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
        ended(document, person, today)
