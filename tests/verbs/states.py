"""A row of each noun in each of its states, made by the verbs that lead there.

People are those of `tests.evidence.house`; besides, oscar and otto are officers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from controls.alternatives import (
    AlternativeDraft,
    decide_alternative,
    request_alternative,
)
from controls.applicability import decide_not_applicable, request_not_applicable
from controls.early_ends import decide_end, request_end
from controls.lapses import lapse_requests
from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    EndRequest,
    ResponsibilityOverride,
    Role,
)
from controls.responsibility.overrides import (
    decide_override,
    request_override,
    settle_override,
)
from controls.withdrawals import withdraw_request
from evidence.files.spill_removal import (
    decide_removal,
    destroy,
    request_removal,
    withdraw_removal,
)
from evidence.models import (
    EvidenceLink,
    EvidenceRequest,
    Population,
    Sample,
    SampleItem,
    SpillRemoval,
)
from evidence.populations.event_list import EventRow, Events
from evidence.populations.populations import (
    PopulationStatement,
    decide_population,
    submit_population,
    withdraw_population,
)
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.selection import SelectionMethod
from evidence.requests.answers import answer, decide_answer
from evidence.requests.requests import RequestDraft, cancel, request_evidence
from evidence.submissions.revise import revise
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give, patch_report
from tests.evidence.per_event import END, START, made_per_event

NUMBER = count(1)
DAY = dt.timedelta(days=1)


def build(settings: Any, tmp_path: Path) -> House:
    """The company with its own store and three officers: olivia, oscar and otto."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    for name in ("oscar", "otto"):
        house.people[name] = houses.person(name)
        give(house, name, Role.OFFICER)
    house.requirement()
    return house


def person(house: House, name: str) -> Any:
    """The account of a name; `admin` is a superuser."""
    return factories.administrator() if name == "admin" else house.people[name]


def link(house: House, state: str) -> EvidenceLink:
    """Evidence of alice's for CM-8, whose link stands there."""
    made = submit(
        replace(patch_report(), draft=state == "draft"),
        [store("report.txt", [b"patched %d" % next(NUMBER)])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    if state == "accepted":
        made.accept(by=house.rita)
    elif state == "rejected":
        made.reject(by=house.rita, reason="It shows one host.")
    elif state == "withdrawn":
        made.withdraw(by=house.alice, reason="The wrong month.")
    elif state == "void":
        revise(
            made.revision.evidence,
            patch_report(),
            [store("report.txt", [b"patched anew %d" % next(NUMBER)])],
            kind="correction",
            reason="The first one was of the wrong host.",
            by=house.alice,
            today=TODAY,
        )
    elif state == "removed":
        removal = request_removal(made.revision.files.get(), reason="A name.",
                                  by=house.oscar)  # fmt: skip
        decide_removal(removal, approve=True, by=house.otto)
    made.refresh_from_db()
    assert made.state == {"removed": "withdrawn"}.get(state, state)
    return made


def override(house: House, state: str) -> ResponsibilityOverride:
    """Another class for PE-3, asked for by oscar, that stands there.

    `late` was never decided and should have lapsed; `expired` has run out, `ending` is
    in force while its end is asked for, `settled` counts no more.
    """
    made = request_override(
        factories.implementation(house.system, "pe-3"),
        responsibility="shared",
        reason="A cage of ours.",
        starts_on=TODAY,
        ends_on=TODAY + 30 * DAY,
        by=house.oscar,
        today=TODAY,
    )
    rows = ResponsibilityOverride.objects.filter(pk=made.pk)
    if state in {"late", "lapsed"}:
        rows.update(requested_on=TODAY - 31 * DAY)
    if state == "lapsed":
        lapse_requests(house.system, TODAY)
    if state in {"approved", "expired", "ending", "settled"}:
        decide_override(made, approve=True, by=house.olivia, today=TODAY)
    if state == "withdrawn":
        withdraw_request(made, by=house.oscar, today=TODAY)
    if state == "refused":
        decide_override(made, approve=False, by=house.olivia, today=TODAY)
    if state in {"expired", "settled"}:
        rows.update(starts_on=TODAY - 9 * DAY, ends_on=TODAY - DAY)
    if state == "settled":
        settle_override(made, on=TODAY, by=house.olivia, today=TODAY)
    if state == "ending":
        request_end(made, reason="No cage.", by=house.oscar, today=TODAY)
    made.refresh_from_db()
    return made


def end_of(
    house: House,
    approval: ResponsibilityOverride
    | ApplicabilityDecision
    | AlternativeImplementation,
    state: str,
) -> EndRequest:
    """That something approved ends early, asked for by oscar, that stands there.

    `ended` waits although what it would end has ended already.
    """
    made = request_end(approval, reason="No cage.", by=house.oscar, today=TODAY)
    rows = EndRequest.objects.filter(pk=made.pk)
    if state in {"late", "lapsed"}:
        rows.update(requested_on=TODAY - 31 * DAY)
    if state == "lapsed":
        lapse_requests(house.system, TODAY)
    if state == "withdrawn":
        withdraw_request(made, by=house.oscar, today=TODAY)
    if state in {"approved", "refused"}:
        approve = state == "approved"
        decide_end(made, approve=approve, by=house.olivia, today=TODAY)
    made.refresh_from_db()
    return made


def exclusion(house: House, state: str) -> ApplicabilityDecision:
    """AC-1 left out, asked for by oscar, that stands there; states as of `override`."""
    made = request_not_applicable(
        factories.implementation(house.system, "ac-1"),
        justification="No people.",
        review_by=TODAY + 30 * DAY,
        by=house.oscar,
        today=TODAY,
    )
    rows = ApplicabilityDecision.objects.filter(pk=made.pk)
    if state in {"late", "lapsed"}:
        rows.update(requested_on=TODAY - 31 * DAY)
    if state == "lapsed":
        lapse_requests(house.system, TODAY)
    if state in {"approved", "ending", "ended", "expired"}:
        decide_not_applicable(made, approve=True, by=house.olivia, today=TODAY)
    if state == "withdrawn":
        withdraw_request(made, by=house.oscar, today=TODAY)
    if state == "refused":
        decide_not_applicable(made, approve=False, by=house.olivia, today=TODAY)
    if state == "expired":
        rows.update(starts_on=TODAY - 9 * DAY, review_by=TODAY - DAY)
    if state == "ended":
        end = request_end(made, reason="People again.", by=house.oscar, today=TODAY)
        decide_end(end, approve=True, by=house.olivia, today=TODAY)
    if state == "ending":
        request_end(made, reason="People again.", by=house.oscar, today=TODAY)
    made.refresh_from_db()
    return made


def alternative(house: House, state: str) -> AlternativeImplementation:
    """CM-8 met in another way, asked for by oscar, that stands there; states as of
    `override`."""
    draft = AlternativeDraft(
        constraint="The tool knows no labels.",
        objective="Every part is known: counted by hand.",
        residual_risk="A part of a week is not counted.",
        requirement_uuids=[house.requirement().uuid],
        starts_on=TODAY,
        review_by=TODAY + 30 * DAY,
    )
    control = factories.implementation(house.system, "cm-8")
    made = request_alternative(control, draft, by=house.oscar, today=TODAY)
    rows = AlternativeImplementation.objects.filter(pk=made.pk)
    if state in {"late", "lapsed"}:
        rows.update(requested_on=TODAY - 31 * DAY)
    if state == "lapsed":
        lapse_requests(house.system, TODAY)
    if state in {"approved", "ending", "ended", "expired"}:
        decide_alternative(made, approve=True, by=house.olivia, today=TODAY)
    if state == "withdrawn":
        withdraw_request(made, by=house.oscar, today=TODAY)
    if state == "refused":
        decide_alternative(made, approve=False, by=house.olivia, today=TODAY)
    if state == "expired":
        rows.update(starts_on=TODAY - 9 * DAY, review_by=TODAY - DAY)
    if state == "ended":
        end = request_end(made, reason="A new tool.", by=house.oscar, today=TODAY)
        decide_end(end, approve=True, by=house.olivia, today=TODAY)
    if state == "ending":
        request_end(made, reason="A new tool.", by=house.oscar, today=TODAY)
    made.refresh_from_db()
    return made


def request(house: House, state: str) -> EvidenceRequest:
    """Olivia asks alice's team to show something; alice answers, olivia judges."""
    draft = RequestDraft("Tickets", ["cm-8"], house.team, TODAY + 9 * DAY)
    made = request_evidence(house.system, draft, by=house.olivia)
    if state in {"answered", "returned", "accepted"}:
        evidence = link(house, "submitted").revision.evidence
        answer(made, [evidence], by=house.alice)
    if state in {"returned", "accepted"}:
        accept = state == "accepted"
        decide_answer(made, accept=accept, reason="One is missing.", by=house.olivia)
    if state == "cancelled":
        cancel(made, reason="Not needed.", by=house.olivia)
    made.refresh_from_db()
    assert made.state == state
    return made


def removal(house: House, state: str) -> SpillRemoval:
    """Oscar asks to remove a file of alice's; otto decides; a worker does it."""
    file = link(house, "accepted").revision.files.get()
    made = request_removal(file, reason="A password.", by=house.oscar)
    if state == "withdrawn":
        withdraw_removal(made, by=house.oscar)
    elif state != "requested":
        decide_removal(made, approve=state != "refused", by=house.otto)
    if state == "destroyed":
        destroy(made.pk)
    made.refresh_from_db()
    return made


def population(house: House, state: str) -> Population:
    """Changes of last quarter that alice brought; rita reviews them."""
    asked = made_per_event(house)
    rows = [EventRow(n, f"CHG-{n}", START + n * DAY) for n in range(1, 8)]
    made = submit_population(
        asked,
        PopulationStatement("Tickets", "type = change", START, END, "No gaps."),
        Events(rows=rows),
        by=house.alice,
        today=TODAY,
    )
    if state in {"accepted", "rejected"}:
        accept = state == "accepted"
        decide_population(made, accept=accept, reason="Because.", by=house.rita)
    if state == "withdrawn":
        withdraw_population(made, reason="The wrong query.", by=house.alice)
    return Population.objects.for_listing().get(pk=made.pk)


def sample(house: House, state: str) -> Sample:
    """All changes of last quarter, drawn by oscar.

    `deviating` has a deviation of its first item, `withdrawn` is of a population that
    was withdrawn afterwards.
    """
    drawn_from = population(house, "accepted")
    made = draw_sample(drawn_from, SelectionMethod("all"), reason="Few", by=house.oscar)
    if state == "deviating":
        item = made.items.order_by("pk")[0]
        record_deviation(item, note="Nobody approved.", by=house.rita)
    if state == "withdrawn":
        withdraw_population(drawn_from, reason="The wrong query.", by=house.rita)
    return made


def link_of_sample(house: House, state: str) -> EvidenceLink:
    """Evidence of alice's for a sampled event: a draft, or submitted.

    With `of no list` the population that it was drawn from was withdrawn afterwards.
    """
    drawn = sample(house, "drawn")
    item = SampleItem.objects.for_upload().filter(sample=drawn).order_by("pk")[0]
    made = submit(
        replace(patch_report(), draft=state.startswith("draft")),
        [store("approval.txt", [b"approved %d" % next(NUMBER)])],
        requirement=item.sample.population.requirement,
        item=item,
        by=house.alice,
        today=TODAY,
    )
    if state.endswith("of no list"):
        withdraw_population(drawn.population, reason="Wrong query.", by=house.rita)
    return made
