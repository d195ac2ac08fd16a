"""R24, R32: what deciding on a letter, a citation or an answer of a report answers.

oscar brings it, otto decides; regina registered the report. `another` is a decision of
olivia's in between, `over` that the decider's role is over, `gone` that oscar's is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import Membership, Role, User
from evidence.artifacts import register
from evidence.artifacts.citation_decisions import (
    citation_standings,
    decide_citations,
)
from evidence.artifacts.citations import cite, remove_citation
from evidence.artifacts.letters import decide_letter, letter_standings
from evidence.artifacts.reliance import record_reliance
from evidence.artifacts.remark_answers import (
    answer_remark,
    decide_answer,
    remark_standings,
)
from evidence.artifacts.remarks import register_remark
from evidence.bulk_acts.act import sealed_choice
from evidence.bulk_acts.acts import ACTS
from evidence.models import (
    ArtifactVersion,
    Citation,
    ContinuityLetter,
    RemarkAnswer,
    ReportRemark,
)
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ENDS = TODAY - 30 * DAY
STARTS = ENDS - 180 * DAY
SENTENCES = {
    "accepted": "is already accepted here",
    "rejected": "is already rejected here",
    "unread": "does not rely on the report; reviewing the report decides",
    "own": "somebody else must decide",
    "not-here": "",
    "no-officer": "Only a compliance officer of this system may do this.",
    "no-reviewer": "You are not a reviewer of this system.",
    "why": "A rejection says why.",
    "decided": "This answer is decided already.",
    "waits": "An answer waits for a second person already.",
    "removed": "that are still there",
    "removed-api": "Name citations of this system only.",
    "looked-at": "You may not do this",
    "changed": "changed since",
    "another's": "somebody else's",
    "withdrawn": "Its auditor withdrew this report",
}
# `unread`: nobody reviewed the report; `not relied`: it was read and is not relied on;
# `cited again`: oscar's was rejected and removed, olivia's waits.
LETTERS = """
verb           door   unread        waiting       accepted      rejected      not relied    withdrawn     over           gone
accept         page   409 unread    =accepted     409 accepted  409 rejected  409 unread    409 withdrawn     404 not-here   =accepted
accept         api    409 unread    =accepted     409 accepted  409 rejected  409 unread    409 withdrawn     404 not-here   =accepted
reject         page   409 unread    =rejected     409 accepted  409 rejected  409 unread    409 withdrawn     404 not-here   =rejected
reject         api    409 unread    =rejected     409 accepted  409 rejected  409 unread    409 withdrawn     404 not-here   =rejected
reject mutely  page   409 unread    400 why       409 accepted  409 rejected  409 unread    409 withdrawn       404 not-here   400 why
reject mutely  api    409 unread    400 why       409 accepted  409 rejected  409 unread    409 withdrawn       404 not-here   400 why
accept own     page   403 own       403 own       403 own       403 own       403 own       403 own       403 own        404 not-here
accept own     api    403 own       403 own       403 own       403 own       403 own       403 own       403 own        404 not-here
accept series  page   403 own       403 own       403 own       403 own       403 own       403 own       403 own        403 own
accept series  api    403 own       403 own       403 own       403 own       403 own       403 own       403 own        403 own
change         admin  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at
"""  # noqa: E501 - one line for each verb and door
CITATIONS = """
verb           door   unread            waiting        accepted      rejected      not relied    withdrawn     over          gone          removed          cited again
accept         page   409 unread        =accepted      409 accepted  409 rejected  409 unread    =accepted     404 not-here  =accepted     400 removed      =accepted
accept         api    409 unread        =accepted      409 accepted  409 rejected  409 unread    =accepted     404 not-here  =accepted     400 removed-api  =accepted
reject         page   409 unread        =rejected      409 accepted  409 rejected  409 unread    =rejected     404 not-here  =rejected     400 removed      =rejected
reject         api    409 unread        =rejected      409 accepted  409 rejected  409 unread    =rejected     404 not-here  =rejected     400 removed-api  =rejected
reject mutely  page   409 unread        400 why        409 accepted  409 rejected  409 unread    400 why       404 not-here  400 why       400 removed      400 why
reject mutely  api    409 unread        400 why        409 accepted  409 rejected  409 unread    400 why       404 not-here  400 why       400 removed-api  400 why
accept own     page   403 own           403 own        403 own       403 own       403 own       403 own       403 own       404 not-here  400 removed      403 own
accept own     api    403 own           403 own        403 own       403 own       403 own       403 own       403 own       404 not-here  400 removed-api  403 own
accept series  page   403 own           403 own        403 own       403 own       403 own       403 own       403 own       403 own       400 removed      403 own
accept series  api    403 own           403 own        403 own       403 own       403 own       403 own       403 own       403 own       400 removed-api  403 own
remove         page   =none             =none          =none         =none         =none         =none         =none         404 not-here  404 not-here     =none
remove         api    =none             =none          =none         =none         =none         =none         =none         404 not-here  404 not-here     =none
change         admin  403 looked-at     403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  403 looked-at  -              403 looked-at
"""  # noqa: E501 - one line for each verb and door
ANSWERS = """
verb           door   open       waiting            accepted           rejected           again              withdrawn          over               gone
answer         page   =waiting   409 waits          =accepted, waiting  =waiting          409 waits          409 waits          409 waits          404 not-here
answer         api    =waiting   409 waits          =accepted, waiting  =waiting          409 waits          409 waits          409 waits          404 not-here
accept         page   -          =accepted          409 decided        409 decided        =accepted          =accepted          404 not-here       =accepted
accept         api    -          =accepted          409 decided        409 decided        =accepted          =accepted          404 not-here       =accepted
reject         page   -          =open              409 decided        409 decided        =open              =open              404 not-here       =open
reject         api    -          =open              409 decided        409 decided        =open              =open              404 not-here       =open
reject mutely  page   -          400 why            409 decided        409 decided        400 why            400 why            404 not-here       400 why
reject mutely  api    -          400 why            409 decided        409 decided        400 why            400 why            404 not-here       400 why
accept own     page   -          403 own            403 own            403 own            403 own            403 own            403 own            404 not-here
accept own     api    -          403 own            403 own            403 own            403 own            403 own            403 own            404 not-here
accept series  page   -          403 own            403 own            403 own            403 own            403 own            403 own            403 own
accept series  api    -          403 own            403 own            403 own            403 own            403 own            403 own            403 own
change         admin  -          403 looked-at      403 looked-at      403 looked-at      403 looked-at      403 looked-at      403 looked-at      403 looked-at
"""  # noqa: E501 - one line for each verb and door
NOTES = {"scope_note": "S3 and EC2 are in it.", "period_note": "It ends in October."}
WHO = {"own": "oscar", "series": "regina"}


@dataclass
class Case:
    """What waits for a second person, or has stopped to."""

    house: House
    subject: Any
    remark: ReportRemark | None = None


@pytest.fixture
def house(settings, tmp_path) -> House:
    """regina keeps the register and reviews here; oscar keeps it too."""
    built = states.build(settings, tmp_path)
    built.people["regina"] = houses.person("regina")
    give(built, "regina", Role.REVIEWER)
    factories.give_installation_roles(built.regina, "registrar")
    factories.give_installation_roles(built.oscar, "registrar")
    return built


def let_go(person: User) -> None:
    Membership.objects.filter(user=person).update(ends_at=BEGINS - DAY / 48)


def report_in(house: House, state: str, word: str = "rely") -> ArtifactVersion:
    """A report of regina's, read by rita unless nobody has."""
    soc2 = factories.make_artifact(house.regina, [])
    report = factories.make_report(soc2, STARTS, ENDS)
    if state == "not relied":
        word = "do-not-rely"
    if state != "unread":
        record_reliance(report, house.system, conclusion=word, by=house.rita, **NOTES)
    return report


def aftermath(house: House, state: str, report: ArtifactVersion) -> None:
    """What happened to the report and to the people since."""
    if state == "withdrawn":
        register.end_version(
            report, state="withdrawn", on=TODAY, reason="They wrote.", by=house.regina
        )
    if state == "over":
        let_go(house.otto)
    if state == "gone":
        let_go(house.oscar)


def letter(house: House, state: str) -> Case:
    report = report_in(house, state)
    made = register.add_letter(report, issued_on=TODAY, ends=TODAY, by=house.oscar)
    if state in {"accepted", "rejected"}:
        decide_letter(made, house.system, decision=state[:6], reason="So it is.",
                      by=house.olivia)  # fmt: skip
    aftermath(house, state, report)
    return Case(house, made)


def citation(house: House, state: str) -> Case:
    report = report_in(house, state)

    def made(by: User) -> Citation:
        control = factories.implementation(house.system, "pe-3").control
        cite(report.artifact, house.system, [control], by=by)
        return Citation.objects.get()

    row = made(house.oscar)
    if state in {"accepted", "rejected", "cited again"}:
        word = "accept" if state == "accepted" else "reject"
        decide_citations([row], house.system, decision=word, reason="So it is.",
                         by=house.rita)  # fmt: skip
    if state == "cited again":
        remove_citation(row, by=house.olivia)
        row = made(house.olivia)
    if state == "removed":
        remove_citation(Citation.objects.get(), by=house.olivia)
    aftermath(house, state, report)
    return Case(house, row)


def answered(house: House, state: str) -> Case:
    """An answer of oscar's to an exception; `again`: his first one was rejected, and
    olivia's waits."""
    report = report_in(house, "")
    remark = register_remark(report, kind="exception", title="7.2",
                             control_ids=["pe-3"], by=house.regina)  # fmt: skip
    case = Case(house, None, remark)
    if state != "open":
        case.subject = respond(case, house.oscar)
    if state in {"accepted", "rejected", "again"}:
        word = "accept" if state == "accepted" else "reject"
        decide_answer(case.subject, decision=word, reason="So it is.", by=house.rita)
    if state == "again":
        case.subject = respond(case, house.olivia)
    aftermath(house, state, report)
    return case


def respond(case: Case, by: User) -> RemarkAnswer:
    assert case.remark is not None
    return answer_remark(
        case.remark, case.house.system, choice="response", text="Locked.", by=by
    )


def state_of_letter(case: Case) -> str:
    rows = ContinuityLetter.objects.filter(pk=case.subject.pk)
    (standing,) = letter_standings(rows, [case.house.system])
    return standing.state


def state_of_citation(case: Case) -> str:
    rows = citation_standings(Citation.objects.filter(pk=case.subject.pk))
    return rows[0].state if rows else "none"


def state_of_answer(case: Case) -> str:
    assert case.remark is not None
    (standing,) = remark_standings([case.remark], [case.house.system])
    words = ["accepted"] * bool(standing.accepted) + ["waiting"] * bool(
        standing.waiting
    )
    return ", ".join(words) or "open"


def person_of(row: Row, house: House) -> User:
    _, _, who = row.verb.partition(" ")
    return house.people[WHO.get(who, "otto")]


def decision_of(row: Row) -> dict[str, str]:
    verb, _, how = row.verb.partition(" ")
    return {"decision": verb, "reason": "" if how == "mutely" else "As it is."}


def on_letter(row: Row, case: Case) -> Attempt:
    uuid, by = case.subject.uuid, person_of(row, case.house)
    if row.door == "admin":
        view = "admin:evidence_continuityletter_change"
        address = reverse(view, args=[case.subject.pk])
        return Attempt(factories.administrator(), address, {"issued_on": "2026-01-01"})
    if row.door == "page":
        address = reverse("evidence:letter_decide", args=["shop", uuid])
        return Attempt(by, address, decision_of(row))
    body = decision_of(row) | {"system": "shop"}
    return Attempt(by, f"/api/v1/letters/{uuid}/decisions/", body, api=True)


def on_citation(row: Row, case: Case) -> Attempt:
    uuid, by = str(case.subject.uuid), person_of(row, case.house)
    if row.door == "admin":
        view = "admin:evidence_citation_change"
        address = reverse(view, args=[case.subject.pk])
        return Attempt(factories.administrator(), address, {"citation": "IV"})
    if row.verb == "remove":
        by = case.house.oscar
        if row.door == "page":
            return Attempt(by, reverse("evidence:citation_remove", args=[uuid]), {})
        address = f"/api/v1/citations/{uuid}/"
        return Attempt(by, address, {}, api=True, method="delete")
    body = decision_of(row) | {"citations": [uuid]}
    if row.door == "page":
        address = reverse("evidence:citations_decide", args=["shop"])
        return Attempt(by, address, body)
    body |= {"system": "shop"}
    return Attempt(by, "/api/v1/citations/decisions/", body, api=True)


def on_answer(row: Row, case: Case) -> Attempt:
    assert case.remark is not None
    by = person_of(row, case.house)
    if row.door == "admin":
        view = "admin:evidence_remarkanswer_change"
        address = reverse(view, args=[case.subject.pk])
        return Attempt(factories.administrator(), address, {"text": "Other."})
    if row.verb == "answer":
        uuid, by = case.remark.uuid, case.house.oscar
        body = {"choice": "response", "text": "We lock them."}
        if row.door == "page":
            address = reverse("evidence:remark_answer", args=["shop", uuid])
            return Attempt(by, address, body)
        address = f"/api/v1/report-remarks/{uuid}/answers/"
        return Attempt(by, address, body | {"system": "shop"}, api=True)
    uuid = case.subject.uuid
    if row.door == "page":
        address = reverse("evidence:remark_decide", args=[uuid])
        return Attempt(by, address, decision_of(row))
    address = f"/api/v1/remark-answers/{uuid}/decide/"
    return Attempt(by, address, decision_of(row), api=True)


def check(
    row: Row,
    made: Callable[[str], Case],
    attempt: Callable[[Row, Case], Attempt],
    state_of: Callable[[Case], str],
) -> None:
    wrong = wrong_cells(row, made, attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(LETTERS))
def test_what_each_verb_of_a_letter_answers(house, row: Row) -> None:
    check(row, partial(letter, house), on_letter, state_of_letter)


@pytest.mark.parametrize("row", rows_of(CITATIONS))
def test_what_each_verb_of_a_citation_answers(house, row: Row) -> None:
    check(row, partial(citation, house), on_citation, state_of_citation)


@pytest.mark.parametrize("row", rows_of(ANSWERS))
def test_what_each_verb_of_an_answer_answers(house, row: Row) -> None:
    check(row, partial(answered, house), on_answer, state_of_answer)


# Many citations decided in one act, seen before. `decided`: olivia did since;
# `removed`: taken back since; `again`: and cited anew by olivia; `confirmed`: the same
# preview once already; `another`: raul's; `over`: otto's role is; `closed`: his own
# account.
OF_MANY = """
verb    door  seen       confirmed  decided       removed      again        another        over          closed
accept  bulk  =accepted  =accepted  409 changed   409 changed  409 changed  409 another's  404 not-here  =waiting
reject  bulk  =rejected  =rejected  409 changed   409 changed  409 changed  409 another's  404 not-here  =waiting
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Seen:
    """The preview of an act on one citation, and who confirms it."""

    house: House
    artifact: Any
    token: str
    by: User


def preview_of_many(house: House, verb: str, pk: int) -> str:
    chosen = sealed_choice(ACTS["citations"], house.system, [pk], "/", by=house.otto)
    client = Client()
    sign_in_just_now(client, house.otto)
    page = reverse("evidence:bulk_act", args=["shop", "citations"])
    body = {"decision": verb, "reason": "As it is."}
    return str(client.post(f"{page}?chosen={chosen}", body).context["token"])


def seen(house: House, verb: str, state: str) -> Seen:
    row = citation(house, "waiting").subject
    case = Seen(house, row.artifact, preview_of_many(house, verb, row.pk), house.otto)
    if state == "confirmed":
        client = Client()
        sign_in_just_now(client, case.by)
        sent = on_many(case)
        assert client.post(sent.address, sent.body).status_code == 302
    if state == "decided":
        decide_citations([row], house.system, decision="accept", by=house.olivia)
    if state in {"removed", "again"}:
        remove_citation(row, by=house.olivia)
    if state == "again":
        cite(row.artifact, house.system, [row.control], by=house.olivia)
    if state == "another":
        case.by = house.raul
    if state == "over":
        let_go(house.otto)
    if state == "closed":
        User.objects.filter(pk=house.otto.pk).update(is_active=False)
    return case


def on_many(case: Seen) -> Attempt:
    address = reverse("evidence:bulk_act_confirm", args=["shop", "citations"])
    return Attempt(case.by, address, {"token": case.token})


@pytest.mark.parametrize("row", rows_of(OF_MANY))
def test_what_deciding_on_many_citations_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(seen, house, row.verb),
        lambda _, case: on_many(case),
        lambda case: (
            citation_standings(Citation.objects.filter(artifact=case.artifact))[0].state
        ),
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
