"""A citation belongs to one system; made after the review, it waits (R24, R32)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.errors import NotPermitted, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, Control, Role
from evidence.artifacts.citation_decisions import (
    citation_standings,
    citations_to_decide,
    decide_citations,
    waiting_citations,
)
from evidence.artifacts.citations import cite, proposed_controls, remove_citation
from evidence.artifacts.coverage import record_coverage
from evidence.artifacts.coverage_targets import CoverageEntry
from evidence.models import Artifact, ArtifactVersion, Citation, LetterAcceptance
from evidence.status.control_status import control_statuses
from evidence.status.gather import Moment
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
ENDS = TODAY - dt.timedelta(days=30)
STARTS = ENDS - dt.timedelta(days=180)


@pytest.fixture
def other(oscar, system):
    """A second system with the same controls."""
    return factories.make_system(oscar, slug="ledger")


@pytest.fixture
def report(system, oscar):
    """Of a series that no system cites yet."""
    return factories.make_report(factories.make_artifact(oscar, []), STARTS, ENDS)


def controls(*ref_ids: str) -> list[Control]:
    here = Control.objects.filter(catalog__slug=factories.catalog_slug())
    return list(here.filter(ref_id__in=ref_ids).order_by("sort_order"))


def state(system: Any, ref_id: str = "pe-3") -> str:
    """The providers' half today."""
    pk = factories.implementation(system, ref_id).pk
    (found,) = control_statuses(system, Moment(TODAY), pks=[pk])
    return str(found.status.aws_half)


def test_citing_in_one_system_moves_nothing_in_another(system, other, report, oscar):
    """R24: what a report is cited for belongs to one system."""
    olga = factories.make_user("olga")
    cite(report.artifact, system, controls("pe-3"), by=oscar)
    for each in (system, other):
        factories.give_role(olga, each, Role.OFFICER)
        factories.rely_on(report, each, by=olga)
    assert (state(system), state(other)) == ("proven", "missing")
    assert [c.ref_id for c in proposed_controls(report.artifact, other)] == ["pe-3"]
    assert proposed_controls(report.artifact, system) == []


def test_made_before_the_review_it_is_decided_with_the_report(
    system, report, oscar, olga
):
    """R24: the reader saw what the report is used for."""
    cite(report.artifact, system, controls("pe-3"), by=oscar)
    (standing,) = citation_standings(Citation.objects.all())
    assert standing.state == "with-report"
    factories.rely_on(report, system, by=olga)
    (standing,) = citation_standings(Citation.objects.all())
    assert (standing.state, state(system)) == ("accepted", "proven")


@pytest.fixture
def late(system, report, oscar, olga):
    """Two citations that oscar made after olga's review of the report."""
    factories.rely_on(report, system, by=olga)
    cite(report.artifact, system, controls("ma-4", "pe-3"), by=oscar)
    return list(Citation.objects.order_by("control__sort_order"))


def test_made_after_it_waits_and_any_number_is_accepted_in_one_act(
    system, late, olga, as_user
):
    """R24, R32: on My work and the page of the series, with one decision."""
    assert state(system) == "pending"
    browser = as_user(olga)
    work = browser.get(reverse("evidence:work")).content.decode()
    assert str(late[0].uuid) in work
    assert str(late[1].uuid) in work
    address = reverse("evidence:citations_decide", args=[system.slug])
    ticked = {"citations": [str(row.uuid) for row in late], "decision": "accept"}
    page = browser.post(address, ticked, follow=True).content.decode()
    assert "2 citations accepted." in page
    assert state(system) == "proven"
    assert AuditEvent.objects.filter(verb="citation.accepted").count() == 2
    assert citations_to_decide(olga) == []
    with pytest.raises(TransitionNotAllowed):
        decide_citations(late, system, decision="accept", by=olga)


def test_what_the_coverage_does_not_name_is_said_before_it_is_accepted(
    system, report, late, oscar, olga, as_user
):
    """R24: proposed from the coverage; nobody accepts the rest without being told."""
    note = "The recorded coverage names other controls, not this one"
    work = reverse("evidence:work")
    assert note not in as_user(olga).get(work).content.decode()  # nothing is recorded
    factories.give_installation_roles(oscar)
    record_coverage(report, [CoverageEntry("pe-3")], by=oscar)
    ma_4, pe_3 = citation_standings(Citation.objects.all())
    assert (ma_4.unnamed, pe_3.unnamed) == (True, False)
    browser = as_user(olga)
    series = reverse("evidence:artifact", args=[report.artifact.uuid])
    assert browser.get(work).content.decode().count(note) == 1
    assert browser.get(series).content.decode().count(note) == 2  # list and decision
    shown = browser.get(reverse("citation-detail", args=[ma_4.citation.uuid]))
    assert shown.json()["unnamed"] is True


def test_over_the_api_as_well(system, late, olga, oscar, as_user):
    """R24: listed to whoever may decide; a rejection says why and is cited no more."""
    assert as_user(oscar).get("/api/v1/citations/to-decide/").json() == []
    browser = as_user(olga)
    waiting = browser.get("/api/v1/citations/to-decide/").json()
    assert [row["state"] for row in waiting] == ["waiting", "waiting"]
    body = {
        "system": system.slug,
        "citations": [row["uuid"] for row in waiting],
        "decision": "reject",
    }
    where = "/api/v1/citations/decisions/"
    answer = browser.post(where, body, "application/json")
    assert answer.status_code == 400
    assert "reason" in answer.json()["errors"]
    said = body | {"reason": "It speaks of another service."}
    answer = browser.post(where, said, "application/json")
    assert answer.status_code == 201, answer.content
    assert {row["state"] for row in answer.json()} == {"rejected"}
    assert state(system) == "missing"


def test_who_cited_or_registered_does_not_decide(system, late, oscar, as_user):
    """R32: not by the verb, the page, the API or the table itself."""
    with pytest.raises(NotPermitted):
        decide_citations(late, system, decision="accept", by=oscar)
    address = reverse("evidence:citations_decide", args=[system.slug])
    said = {"citations": [str(late[0].uuid)], "decision": "accept"}
    assert as_user(oscar).post(address, said).status_code == 403
    body = said | {"system": system.slug}
    where = "/api/v1/citations/decisions/"
    answer = as_user(oscar).post(where, body, "application/json")
    assert answer.status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        LetterAcceptance.objects.create(
            citation=late[0],
            system=system,
            reviewer=oscar,
            registered_by=oscar,
            report_registered_by=oscar,
            decision="accept",
            decided_on=TODAY,
            reviewer_name="Oscar",
        )
    assert state(system) == "pending"


@pytest.mark.parametrize("name", ["alice", "audrey", "mallory"])
def test_others_neither_cite_nor_decide(system, late, name, request, as_user):
    """R24: officers of the system cite, its reviewers decide."""
    browser = as_user(request.getfixturevalue(name))
    refused = 404 if name == "mallory" else 403
    address = reverse("evidence:citations_decide", args=[system.slug])
    said = {"citations": [str(late[0].uuid)], "decision": "accept"}
    assert browser.post(address, said).status_code == refused
    artifact = late[0].artifact
    cited = reverse("evidence:cite", args=[artifact.uuid])
    assert browser.post(cited, {"system": system.slug}).status_code == refused
    removed = reverse("evidence:citation_remove", args=[late[0].uuid])
    assert browser.post(removed).status_code == refused
    assert Citation.objects.count() == 2


def test_an_officer_of_another_system_cites_only_there(system, other, report, as_user):
    """R24: neither page nor API lets them cite in a system that is not theirs."""
    otto = factories.make_user("otto")
    factories.give_role(otto, other, Role.OFFICER)
    factories.give_role(otto, system, Role.READER)
    browser = as_user(otto)
    artifact = report.artifact
    page = reverse("evidence:cite", args=[artifact.uuid])
    assert browser.post(page, {"system": system.slug}).status_code == 400
    where = f"/api/v1/artifacts/{artifact.uuid}/citations/"
    said = {"system": system.slug, "control_ids": ["pe-3"]}
    assert browser.post(where, said, "application/json").status_code == 403
    assert not Citation.objects.exists()
    answer = browser.post(where, said | {"system": other.slug}, "application/json")
    assert answer.json() == {"cited": 1}
    shown = browser.get(f"/api/v1/artifacts/{artifact.uuid}/proposed-citations/")
    assert shown.status_code == 404
    address = f"/api/v1/artifacts/{artifact.uuid}/proposed-citations/"
    shown = browser.get(address, {"system": system.slug})
    assert shown.json() == [{"control_id": "pe-3"}]


def test_taken_back_what_was_decided_stays_on_record(
    system, late, olga, oscar, as_user
):
    """R35: as known before, the accepted citation still proves."""
    decide_citations(late, system, decision="accept", by=olga)
    known = LetterAcceptance.objects.order_by("-pk")[0].known_from
    (row,) = [c for c in late if c.control.ref_id == "pe-3"]
    removed = reverse("evidence:citation_remove", args=[row.uuid])
    assert as_user(oscar).post(removed).status_code == 302
    assert state(system) == "missing"
    pk = factories.implementation(system, "pe-3").pk
    after = known + dt.timedelta(microseconds=1)
    (found,) = control_statuses(system, Moment(TODAY, after), pks=[pk])
    assert found.status.aws_half == "proven"
    cite(row.artifact, system, controls("pe-3"), by=oscar)
    assert state(system) == "pending"  # made anew, it waits anew


@pytest.fixture
def anew(system, report, oscar, olga, rita):
    """Cited by olga in place of oscar, who took his own back; rita relies on it."""
    cite(report.artifact, system, controls("pe-3"), by=oscar)
    remove_citation(Citation.objects.get(), by=oscar)
    factories.rely_on(report, system, by=rita)
    cite(report.artifact, system, controls("pe-3"), by=olga)
    return Citation.objects.get()


def test_who_cited_before_and_took_it_back_does_not_accept(
    system, anew, oscar, rita, as_user
):
    """R32: whoever registered the series apart, at each door, the table's included."""
    otto = factories.make_user("otto")
    Artifact.objects.update(registered_by=otto)
    assert citations_to_decide(oscar) == []
    address = reverse("evidence:citations_decide", args=[system.slug])
    ticked = {"citations": [str(anew.uuid)], "decision": "accept"}
    assert as_user(oscar).post(address, ticked).status_code == 403
    body = ticked | {"system": system.slug}
    where = "/api/v1/citations/decisions/"
    assert as_user(oscar).post(where, body, "application/json").status_code == 403
    decision = {
        "citation": anew,
        "system": system,
        "decision": "accept",
        "decided_on": TODAY,
        "reviewer_name": "x",
    }
    others = {"registered_by": rita, "report_registered_by": rita}  # not as it is
    for person in (oscar, otto, anew.cited_by):
        with (
            pytest.raises(IntegrityError, match="the second person is another one"),
            transaction.atomic(),
        ):
            LetterAcceptance.objects.create(reviewer=person, **others, **decision)
    assert state(system) == "pending"
    decide_citations([anew], system, decision="accept", by=rita)
    assert state(system) == "proven"


def test_a_review_by_who_cited_before_decides_nothing_on_it(
    system, report, anew, oscar, olga, rita
):
    """R24, R32: relying on the report is accepting what it is cited for."""
    factories.give_role(rita, system, Role.OFFICER)
    Artifact.objects.update(registered_by=rita)
    ArtifactVersion.objects.update(registered_by=rita)
    report.refresh_from_db()
    before = knowledge_now()
    factories.rely_on(report, system, by=oscar)
    (standing,) = citation_standings(Citation.objects.all())
    assert (standing.state, state(system)) == ("waiting", "pending")
    assert [row.citation for row in waiting_citations([system])] == [anew]
    remove_citation(anew, by=olga)
    cite(report.artifact, system, controls("pe-3"), by=rita)
    factories.rely_on(report, system, by=olga)  # she cited it before
    assert state(system) == "pending"
    pk = factories.implementation(system, "pe-3").pk
    (then,) = control_statuses(system, Moment(TODAY, before), pks=[pk])
    assert then.status.aws_half == "pending"
    factories.rely_on(report, system, by=factories.make_user("neutral"))
    (standing,) = citation_standings(Citation.objects.all())
    assert (standing.state, state(system)) == ("accepted", "proven")
