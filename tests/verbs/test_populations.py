"""R16, R32: what each verb of populations and samples answers from each state."""

from __future__ import annotations

from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from evidence.models import Population, Sample
from tests.evidence.house import TODAY, House, file
from tests.evidence.per_event import END, START, listed, said, url
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.test_evidence import attempt as attempt_on_link
from tests.verbs.test_evidence import state_of as state_of_link

pytestmark = pytest.mark.django_db

SENTENCES = {
    "own": "Somebody else must review this: you drew it",
    "brought": "Somebody who had no hand in this list draws the sample.",
    "accepted-by": "Rita has already accepted this.",
    "rejected-by": "Rita has already rejected this.",
    "withdrawn-by": "Alice has already withdrawn this.",
    "on-record": "A deviation of this item is on record already.",
    "looked-at": "You may not do this",
    "counts-no-more": "The list that this was drawn from was withdrawn: it counts no",
}
# A cell says where the population stands, how many samples were drawn from it, and,
# after `new`, where one stands that was brought now.
TABLE = """
verb        door   submitted                  accepted                  rejected                  withdrawn
bring       page   =submitted, new submitted  =accepted, new submitted  =rejected, new submitted  =withdrawn, new submitted
bring       api    =submitted, new submitted  =accepted, new submitted  =rejected, new submitted  =withdrawn, new submitted
accept      page   =accepted                  409 accepted-by           409 rejected-by           409 withdrawn-by
accept      api    =accepted                  409 accepted-by           409 rejected-by           409 withdrawn-by
accept own  page   403 own                    403 own                   403 own                   403 own
accept own  api    403 own                    403 own                   403 own                   403 own
reject      page   =rejected                  409 accepted-by           409 rejected-by           409 withdrawn-by
reject      api    =rejected                  409 accepted-by           409 rejected-by           409 withdrawn-by
withdraw    page   =withdrawn                 =withdrawn                409 rejected-by           409 withdrawn-by
withdraw    api    =withdrawn                 =withdrawn                409 rejected-by           409 withdrawn-by
sample      page   =submitted, 1 sampled      =accepted, 1 sampled      409 rejected-by           409 withdrawn-by
sample      api    =submitted, 1 sampled      =accepted, 1 sampled      409 rejected-by           409 withdrawn-by
sample own  page   403 brought                403 brought               403 brought               403 brought
sample own  api    403 brought                403 brought               403 brought               403 brought
change      admin  403 looked-at              403 looked-at             403 looked-at             403 looked-at
"""  # noqa: E501 - one line for each verb and door
# A cell says how many deviations and links the items of the sample have.
SAMPLES = """
verb     door   drawn                   deviating               withdrawn
deviate  page   =1 deviations, 0 links  409 on-record           409 counts-no-more
deviate  api    =1 deviations, 0 links  409 on-record           409 counts-no-more
prove    page   =0 deviations, 1 links  =1 deviations, 1 links  409 counts-no-more
prove    api    =0 deviations, 1 links  =1 deviations, 1 links  409 counts-no-more
change   admin  403 looked-at           403 looked-at           403 looked-at
"""
# What was brought for a sampled event, by where it stands: its list stands, or was
# withdrawn since (`of no list`). What was brought may still be taken back or refused.
BROUGHT = """
verb       door         submitted   submitted of no list  draft       draft of no list
accept     page         =accepted   409 counts-no-more    -           -
accept     several      =accepted   409 counts-no-more    -           -
accept     the desk     =accepted   409 counts-no-more    -           -
accept     api          =accepted   409 counts-no-more    -           -
accept     api of many  =accepted   409 counts-no-more    -           -
reject     page         =rejected   =rejected             -           -
reject     the desk     =rejected   =rejected             -           -
reject     api          =rejected   =rejected             -           -
submit     page         -           -                     =submitted  409 counts-no-more
submit     api          -           -                     =submitted  409 counts-no-more
withdraw   page         =withdrawn  =withdrawn            =withdrawn  =withdrawn
withdraw   api          =withdrawn  =withdrawn            =withdrawn  =withdrawn
"""
WHO = {
    "bring": "alice", "accept": "rita", "accept own": "alice", "reject": "rita",
    "withdraw": "alice", "sample": "oscar", "sample own": "alice", "deviate": "rita",
    "prove": "alice", "change": "admin",
}  # fmt: skip


@pytest.fixture
def house(settings, tmp_path):
    return states.build(settings, tmp_path)


def attempt(house: House, row: Row, population: Population) -> Attempt:
    """The request by which the verb is taken at the door."""
    by = states.person(house, WHO[row.verb])
    why = {"reason": "Because of it."}
    day = {"day_confirmed": "yes", "day_shown_by": "Stamp of the export"}
    drawn = {"method": "all"} | why
    verb = row.verb.removesuffix(" own")
    if row.door == "admin":
        address = reverse("admin:evidence_population_change", args=[population.pk])
        return Attempt(by, address, {"row_count": 1})
    if verb == "bring":
        return _bring(row, population, by)
    if row.door == "page":
        view, body = "population_judge", {"decision": verb} | why | day
        if verb == "sample":
            view, body = "sample_draw", drawn
        return Attempt(by, reverse(f"evidence:{view}", args=[population.uuid]), body)
    end = {"sample": "draw"}.get(verb, verb)
    body = drawn if verb == "sample" else why
    return Attempt(by, f"/api/v1/populations/{population.uuid}/{end}/", body, api=True)


def _bring(row: Row, population: Population, by) -> Attempt:
    """Another list of the same days: after a preview, or rows at once."""
    asked = population.requirement
    if row.door == "page":
        browser = Client()
        browser.force_login(by)
        page = browser.post(url(asked), said(list=file("again.csv", listed(9))))
        token = page.context["preview"].token
        return Attempt(by, url(asked, "confirm/"), {"token": token})
    body = {"requirement": str(asked.uuid), "starts": str(START), "ends": str(END),
            "source": "T", "query": "q", "completeness": "c",
            "rows": [{"key": "CHG-1", "day": str(START)}]}  # fmt: skip
    return Attempt(by, "/api/v1/populations/", body, api=True)


def state_of(population: Population) -> str:
    stored = Population.objects.with_state().get(pk=population.pk)
    words = [stored.state]
    if samples := stored.samples.count():
        words.append(f"{samples} sampled")
    newest = Population.objects.with_state().latest("pk")
    if newest != stored:
        words.append(f"new {newest.state}")
    return ", ".join(words)


@pytest.mark.parametrize("row", rows_of(TABLE))
def test_what_each_verb_of_a_population_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(states.population, house),
        partial(attempt, house),
        state_of,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


def attempt_on_sample(house: House, row: Row, sample: Sample) -> Attempt:
    by = states.person(house, WHO[row.verb])
    item = sample.items.order_by("pk")[0]
    if row.door == "admin":
        address = reverse("admin:evidence_sample_change", args=[sample.pk])
        return Attempt(by, address, {"size": 1})
    if row.verb == "deviate":
        note = {"note": "Nobody approved it."}
        if row.door == "page":
            address = reverse("evidence:deviation_new", args=[item.uuid])
            return Attempt(by, address, note)
        address = f"/api/v1/samples/{sample.uuid}/deviations/"
        return Attempt(by, address, {"item": str(item.uuid)} | note, api=True)
    asked = sample.population.requirement
    fields = {"title": "Approval", "performed_on": str(END), "period_start": str(START),
              "period_end": str(END), "collected_on": str(TODAY),
              "files": [file(content=b"approved")]}  # fmt: skip
    if row.door == "page":
        address = reverse("evidence:upload", args=["shop", asked.uuid])
        fields |= {"sensitivity": "internal"}
        return Attempt(by, f"{address}?item={item.uuid}", fields)
    fields |= {"requirement": str(asked.uuid), "sample_item": str(item.uuid)}
    return Attempt(by, "/api/v1/evidence/", fields, api=True)


def state_of_sample(sample: Sample) -> str:
    items = sample.items.all()
    deviations = sum(hasattr(item, "deviation") for item in items)
    links = sum(item.links.count() for item in items)
    return f"{deviations} deviations, {links} links"


@pytest.mark.parametrize("row", rows_of(SAMPLES))
def test_what_each_verb_of_a_sample_answers(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(states.sample, house),
        partial(attempt_on_sample, house),
        state_of_sample,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(BROUGHT))
def test_what_was_brought_for_a_list_that_is_withdrawn(house, row: Row) -> None:
    wrong = wrong_cells(
        row,
        partial(states.link_of_sample, house),
        partial(attempt_on_link, house),
        state_of_link,
        SENTENCES,
    )
    assert not wrong, "\n".join([str(row), *wrong])
