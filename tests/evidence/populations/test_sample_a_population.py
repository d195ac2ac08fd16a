"""What is asked per event is proven by a population, a sample, and proof per item."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction

from controls.history.clock import knowledge_now
from controls.models import AuditEvent
from evidence.models import (
    Deviation,
    EvidenceLink,
    Population,
    PopulationReview,
    RequirementControl,
    Sample,
    SampleItem,
)
from evidence.populations.populations import withdraw_population
from evidence.submissions.revise import revise
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import store
from tests.evidence.house import House, file
from tests.evidence.per_event import (
    START,
    TODAY,
    bring,
    build,
    half,
    judge,
    listed,
    made_per_event,
    sample,
    upload,
)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    return build(settings, tmp_path)


@pytest.fixture
def asked(house) -> RequirementControl:
    return made_per_event(house)


@pytest.fixture
def population(client, house, asked) -> Population:
    client.force_login(house.alice)
    return bring(client, asked, list=file("changes.csv", listed()))


def test_from_missing_to_proven(client, house, asked, population):
    assert half(house, asked)[0] == "pending"
    assert judge(client, house.rita, population).status_code == 302
    assert "no_sample" in half(house, asked)[1]
    assert sample(client, house.olivia, population).status_code == 302
    drawn = Sample.objects.get()
    positions = [i.item.position for i in drawn.items.for_listing()]
    assert len(positions) == 3
    assert half(house, asked)[0] == "missing"
    for item in drawn.items.for_upload():
        answer = upload(client, house.alice, asked, item)
        assert answer.url == f"/samples/{drawn.uuid}/"
    assert half(house, asked)[0] == "pending"
    for link in EvidenceLink.objects.all():
        link.accept(by=house.rita)
    state, codes, period = half(house, asked)
    assert state == "proven"
    assert not codes & {"sample_open", "sample_waiting", "no_sample"}
    assert period.occurrences.sampled == 3
    assert {r.outcome for r in period.occurrences.results if r.population} == {
        "on_time"
    }


def test_no_population_is_missing_with_its_next_step(house, asked):
    state, codes, period = half(house, asked)
    assert state == "missing"
    assert "no_population" in codes
    # R16: one for each quarter whose last day lies in the window
    assert period.occurrences.missed + period.occurrences.not_yet_due == 5


def test_a_deviation_caps_the_verdict_and_is_counted(client, house, asked, population):
    judge(client, house.rita, population)
    sample(client, house.olivia, population, size=1)
    item = SampleItem.objects.get()
    to = f"/sampled/{item.uuid}/deviates/"
    assert client.post(to, {"note": " "}).status_code == 400
    assert client.post(to, {"note": "No approval"}).status_code == 302
    assert client.post(to, {"note": "Again"}).status_code == 409
    assert AuditEvent.objects.filter(verb="deviation.recorded").count() == 1
    state, codes, period = half(house, asked)
    assert state == "proven"
    assert "deviations" in codes
    assert period.result == "exceptions"
    assert (period.occurrences.deviations, period.occurrences.sampled) == (1, 1)
    before = half(house, asked, on=population.starts - dt.timedelta(days=1))[2]
    assert (before.occurrences.deviations, before.occurrences.sampled) == (0, 0)
    page = client.get("/systems/shop/controls/cm-8/").content.decode()
    assert "1 of 1 in the sample deviating" in page
    assert "No approval" in client.get(f"/samples/{item.sample.uuid}/").content.decode()


@pytest.mark.parametrize("deviates", [True, False])
def test_a_sampled_list_goes_only_by_a_second_person(
    client, house, asked, population, deviates
):
    """R16, R32: nobody takes back the list that says what went wrong, or of which some
    events are open, and draws until all is well. Page, API and database. A deviation
    stays in the window's n of m, whoever withdrew the list."""
    judge(client, house.rita, population)
    sample(client, house.olivia, population, size=1)
    to = f"/sampled/{SampleItem.objects.get().uuid}/deviates/"
    if deviates:
        client.post(to, {"note": "Late"})
    again = f"/api/v1/populations/{population.uuid}/withdraw/"
    for brought_it in (house.alice, house.ray):
        assert judge(client, brought_it, population, "withdraw", "x").status_code == 403
        refused = client.post(again, {"reason": "x"}, content_type="application/json")
        assert refused.status_code == 403
    client.force_login(house.alice)
    page = client.get(f"/populations/{population.uuid}/").content.decode()
    assert 'value="withdraw"' not in page
    with pytest.raises(DatabaseError, match="R32"), transaction.atomic():
        PopulationReview.objects.create(
            population=population,
            reviewer=house.alice,
            drawer=house.alice,
            reason="x",
            decision="withdrawn",
        )
    assert ("deviations" in half(house, asked)[1]) == deviates
    before = half(house, asked)[2].occurrences
    assert judge(client, house.raul, population, "withdraw", "Query").status_code == 302
    state, codes, over = half(house, asked)
    assert (state, "deviations" in codes) == ("missing", deviates)
    after = over.occurrences
    assert (after.deviations, after.sampled, after.open) == (deviates, deviates, 0)
    assert before.deviations == after.deviations
    reasons = {reason.code: reason.sentence for reason in over.reasons}
    assert ("deviations" in reasons) == deviates
    # another list with nothing wrong: the window does not become complete by it
    client.force_login(house.alice)
    nothing = bring(client, asked, none_happened="on")
    judge(client, house.rita, nothing)
    state, codes, over = half(house, asked)
    assert state in {"proven", "expiring"}
    assert ("deviations" in codes) == deviates  # nor does the day turn green
    assert over.occurrences.deviations == deviates
    if deviates:
        assert over.result == "exceptions"
        page = client.get("/systems/shop/controls/cm-8/?on=2026-11-23").content.decode()
        assert "a list that was withdrawn" in page


def test_a_second_list_excuses_nothing_of_the_first(client, house, asked, population):
    """R16: what is open of one list of some days stays open, whatever another says."""
    judge(client, house.rita, population)
    sample(client, house.olivia, population)
    before = half(house, asked)
    client.force_login(house.alice)
    nothing = bring(client, asked, none_happened="on")
    assert judge(client, house.rita, nothing).status_code == 302
    after = half(house, asked)
    assert after[0] == before[0] == "missing"
    assert "sample_open" in after[1]
    assert after[2].occurrences.missed == before[2].occurrences.missed
    for item in SampleItem.objects.for_upload():
        upload(client, house.alice, asked, item)
    for link in EvidenceLink.objects.all():
        link.accept(by=house.rita)
    assert half(house, asked)[0] == "proven"


def test_each_clock_keeps_its_own_answer(client, house, asked, population):
    before_review = knowledge_now()
    judge(client, house.rita, population)
    before_sample = knowledge_now()
    sample(client, house.olivia, population, size=1)
    before_proof = knowledge_now()
    upload(client, house.alice, asked, SampleItem.objects.get())
    EvidenceLink.objects.get().accept(by=house.rita)
    before_deviation = knowledge_now()
    Deviation(
        system=house.system,
        sample_item=SampleItem.objects.get(),
        recorded_by=house.alice,
        note="Late",
    ).save(force_insert=True)
    found = [
        half(house, asked, known_at=instant)[0]
        for instant in (before_review, before_sample, before_proof, before_deviation)
    ]
    assert found == ["pending", "pending", "missing", "proven"]
    assert "deviations" not in half(house, asked, known_at=before_deviation)[1]
    assert "deviations" in half(house, asked)[1]
    earlier = half(house, asked, on=START - dt.timedelta(days=1))
    assert "no_population" in earlier[1]


@pytest.mark.parametrize(
    "way",
    [
        {"size": 11},
        {"size": ""},
        {"method": "every-nth", "every": 3, "first": 11},
        {"method": "by-hand", "positions": "3, x"},
        {"method": "by-hand", "positions": "11"},
        {"reason": ""},
    ],
)
def test_what_cannot_be_drawn_is_said_at_its_field(client, house, population, way):
    answer = sample(client, house.olivia, population, **way)
    assert answer.status_code == 422
    assert answer.context["sample_form"].errors
    assert not Sample.objects.exists()


def test_the_same_seed_draws_the_same_and_a_missing_one_is_made(
    client, house, population
):
    sample(client, house.olivia, population)
    sample(client, house.olivia, population)
    sample(client, house.olivia, population, seed="")
    one, two, three = Sample.objects.order_by("pk")
    assert [i.item_id for i in one.items.order_by("item")] == [
        i.item_id for i in two.items.order_by("item")
    ]
    assert len(three.seed) == 32


def test_one_proof_counts_in_every_sample_of_the_event(
    client, house, asked, population
):
    judge(client, house.rita, population)
    for _ in range(2):
        sample(client, house.olivia, population, method="by-hand", positions="4")
    first, second = SampleItem.objects.order_by("pk")
    upload(client, house.alice, asked, first)
    EvidenceLink.objects.get().accept(by=house.rita)
    assert half(house, asked)[0] == "proven"
    assert second.sample.items.for_listing().get().state == "accepted"


def test_an_item_of_another_requirement_is_not_found(client, house, asked, population):
    sample(client, house.olivia, population, size=1)
    item = SampleItem.objects.get()
    other = house.requirement("si-2")
    assert upload(client, house.alice, other, item).status_code == 404
    to = f"/systems/shop/requirements/{asked.uuid}/upload/?item=nonsense"
    assert client.get(to).status_code == 404


def test_a_correction_stays_with_its_item(client, house, asked, population):
    sample(client, house.olivia, population, size=1)
    item = SampleItem.objects.get()
    upload(client, house.alice, asked, item)
    link = EvidenceLink.objects.get()
    words = Submission("x", TODAY, START, TODAY, TODAY)
    revise(
        link.revision.evidence,
        words,
        [store("b.txt", [b"better"])],
        kind="correction",
        reason="Wrong page",
        by=house.alice,
        today=TODAY,
    )
    assert EvidenceLink.objects.get(state="submitted").sample_item == item


def test_the_csv_holds_what_is_needed_to_draw_again(client, house, population):
    sample(client, house.olivia, population)
    drawn = Sample.objects.get()
    text = client.get(f"/samples/{drawn.uuid}/sample.csv").content.decode("utf-8-sig")
    heading, *lines = text.splitlines()
    assert heading.startswith("position,key,day,Asked by,state,deviation,method,seed")
    assert len(lines) == 3
    assert all(population.sha256 in line and "random,s," in line for line in lines)


def test_a_sample_of_a_withdrawn_list_says_so_and_offers_nothing(
    client, house, asked, population
):
    """R16: nothing new rests on a list that counts no more."""
    sample(client, house.olivia, population)
    drawn = Sample.objects.get()
    client.force_login(house.alice)
    page = client.get(f"/samples/{drawn.uuid}/").content.decode()
    assert "?item=" in page
    assert "/deviates/" in page
    withdraw_population(population, reason="The wrong query.", by=house.rita)
    page = client.get(f"/samples/{drawn.uuid}/").content.decode()
    assert "The list that this was drawn from was withdrawn" in page
    assert "?item=" not in page
    assert "/deviates/" not in page
