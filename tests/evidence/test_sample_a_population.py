"""What is asked per event is proven by a population, a sample, and proof per item."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from openpyxl import Workbook

from controls.models import AuditEvent
from evidence.answers import answers, window_of
from evidence.events import MAX_ROWS
from evidence.facts import Moment
from evidence.models import (
    Deviation,
    EvidenceLink,
    EvidenceRequirement,
    Population,
    PopulationItem,
    PopulationReview,
    Sample,
    SampleItem,
)
from tests.evidence import house as houses
from tests.evidence.house import House, file

TODAY = dt.date.today()
START = TODAY - dt.timedelta(days=60)
END = TODAY - dt.timedelta(days=1)


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def asked(house) -> EvidenceRequirement:
    found = house.requirement()
    EvidenceRequirement.objects.filter(pk=found.pk).update(
        cadence="per-event", grace_days=10, title="Changes approved"
    )
    found.refresh_from_db()
    return found


def url(asked, end: str = "new/") -> str:
    return f"/requirements/{asked.uuid}/populations/{end}"


def listed(number: int = 10) -> bytes:
    lines = [f"CHG-{n},{START + dt.timedelta(days=n)},team {n}" for n in range(number)]
    return "\n".join(["Key,Day,Asked by", *lines]).encode()


def said(**more):
    return {
        "starts": START,
        "ends": END,
        "source": "Tickets",
        "query": "type = change",
        "completeness": "Numbers without gaps.",
    } | more


def bring(client, asked, **more) -> Population:
    """Preview and confirm; the newest population."""
    answer = client.post(url(asked), said(**more))
    assert answer.status_code == 200, answer.content.decode()
    token = answer.context["preview"].token
    confirmed = client.post(url(asked, "confirm/"), {"token": token})
    assert confirmed.status_code == 302, confirmed.content.decode()
    return Population.objects.with_state().latest("pk")


@pytest.fixture
def population(client, house, asked) -> Population:
    client.force_login(house.alice)
    return bring(client, asked, list=file("changes.csv", listed()))


def judge(client, user, population, decision="accept", reason=""):
    client.force_login(user)
    to = f"/populations/{population.uuid}/judge/"
    return client.post(to, {"decision": decision, "reason": reason})


def sample(client, user, population, **way):
    client.force_login(user)
    way = {"method": "random", "size": 3, "seed": "s", "reason": "Table"} | way
    return client.post(f"/populations/{population.uuid}/sample/", way)


def upload(client, user, asked, item: SampleItem):
    client.force_login(user)
    to = f"/systems/shop/requirements/{asked.uuid}/upload/?item={item.uuid}"
    fields = {
        "title": f"Approval of {item.item.key}",
        "performed_on": TODAY,
        "period_start": START,
        "period_end": TODAY,
        "collected_on": TODAY,
        "sensitivity": "internal",
        "files": [file("a.txt", item.item.key.encode())],
    }
    return client.post(to, fields)


def half(house, asked, **moment):
    moment = Moment(**{"on": TODAY} | moment)
    pks, window = [asked.implementation_id], window_of(house.system)
    (answer,) = answers(house.system, moment, pks=pks, window=window)
    codes = {reason.code for reason in answer.status.reasons}
    return answer.status.customer_half, codes, answer.period


def test_a_list_is_seen_first_and_recorded_when_confirmed(client, house, asked):
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file("changes.csv", listed())))
    assert answer.status_code == 200
    assert "CHG-3" in answer.content.decode()
    assert not Population.objects.exists()
    token = answer.context["preview"].token
    assert client.post(url(asked, "confirm/"), {"token": token}).status_code == 302
    made = Population.objects.get()
    assert (made.row_count, made.columns) == (10, ["Asked by"])
    assert made.blob is not None
    assert made.blob.sha256 == made.sha256
    event = AuditEvent.objects.get(verb="population.drawn")
    assert made.sha256 in event.body
    page = client.get(f"/populations/{made.uuid}/").content.decode()
    assert "CHG-9" in page
    assert "team 9" in page


def test_a_sheet_and_pasted_lines_work_like_a_file(client, house, asked):
    book, out = Workbook(), io.BytesIO()
    book.active.append(["Ticket", "Created"])
    book.active.append(["CHG-1", START])
    book.active.append(["CHG-2", dt.datetime.combine(END, dt.time(13, 5))])
    book.save(out)
    client.force_login(house.alice)
    made = bring(client, asked, list=file("changes.xlsx", out.getvalue()))
    assert [i.happened_on for i in made.items.all()] == [START, END]
    made = bring(client, asked, pasted=f"key;day\nX-1;{END}\n")
    assert [i.key for i in made.items.all()] == ["X-1"]


def test_everything_wrong_is_named_by_line_and_nothing_is_kept(client, house, asked):
    client.force_login(house.alice)
    body = f"key,day\nA,{START}\nA,{START}\n,{START}\nB,31.10.2026\nC,2001-01-01\n"
    answer = client.post(url(asked), said(list=file("l.csv", body.encode())))
    assert answer.status_code == 422
    found = {e.line: e.text for e in answer.context["preview"].events.errors}
    assert set(found) == {3, 4, 5, 6}
    assert "line 2 already" in found[3]
    assert not answer.context["preview"].token
    assert not PopulationItem.objects.exists()


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("l.csv", b"what,when\n", "No column of the first line is called"),
        ("l.csv", b"key,day,a,a\n", "the same name"),
        ("l.txt", b"key,day\n", "ends in .csv or .xlsx"),
    ],
)
def test_a_list_that_cannot_be_read_is_said(client, house, asked, name, body, sentence):
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file(name, body)))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_no_events_are_said_and_not_left_out(client, house, asked):
    client.force_login(house.alice)
    empty = file("l.csv", b"key,day\n")
    refused = client.post(url(asked), said(list=empty))
    assert "say that none happened" in refused.content.decode()
    assert client.post(url(asked), said()).status_code == 422
    both = said(list=file("l.csv", listed()), none_happened="on")
    assert client.post(url(asked), both).status_code == 422
    made = bring(client, asked, none_happened="on")
    assert (made.row_count, made.blob) == (0, None)
    state, codes, _ = half(house, asked)
    assert (state, "population_unreviewed" in codes) == ("pending", True)
    judge(client, house.rita, made)
    state, codes, period = half(house, asked)
    assert (state, codes & {"no_events"}) == ("proven", {"no_events"})
    assert period.occurrences.on_time == 1
    assert sample(client, house.alice, made).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [("ends", TODAY), ("ends", START - dt.timedelta(days=1)), ("completeness", "")],
)
def test_words_and_days_that_cannot_be_are_refused(client, house, asked, field, value):
    client.force_login(house.alice)
    more = {field: value + dt.timedelta(days=1) if value == TODAY else value}
    answer = client.post(url(asked), said(none_happened="on", **more))
    assert answer.status_code == 422
    assert not Population.objects.exists()


def test_a_preview_is_confirmed_by_its_author_only(client, house, asked):
    client.force_login(house.alice)
    token = client.post(url(asked), said(none_happened="on")).context["preview"].token
    client.force_login(house.olivia)
    answer = client.post(url(asked, "confirm/"), {"token": token})
    assert answer.status_code == 409
    assert client.post(url(asked, "confirm/"), {"token": "x"}).status_code == 409


def test_from_missing_to_proven(client, house, asked, population):
    assert half(house, asked)[0] == "pending"
    assert judge(client, house.rita, population).status_code == 302
    assert "no_sample" in half(house, asked)[1]
    assert sample(client, house.alice, population).status_code == 302
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
    assert period.occurrences.missed + period.occurrences.not_yet_due == 1


def test_a_deviation_caps_the_verdict_and_is_counted(client, house, asked, population):
    judge(client, house.rita, population)
    sample(client, house.alice, population, size=1)
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
    page = client.get("/systems/shop/controls/cm-8/").content.decode()
    assert "1 of 1 sampled items deviate" in page
    assert "No approval" in client.get(f"/samples/{item.sample.uuid}/").content.decode()


def test_each_clock_keeps_its_own_answer(client, house, asked, population):
    from controls.history.clock import knowledge_now

    before_review = knowledge_now()
    judge(client, house.rita, population)
    before_sample = knowledge_now()
    sample(client, house.alice, population, size=1)
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


def test_a_rejected_or_withdrawn_population_counts_no_more(
    client, house, asked, population
):
    assert judge(client, house.rita, population, "reject").status_code == 400
    assert judge(client, house.rita, population, "reject", "Gaps").status_code == 302
    assert half(house, asked)[0] == "missing"
    assert "population_rejected" in half(house, asked)[1]
    assert judge(client, house.raul, population).status_code == 409
    assert sample(client, house.alice, population).status_code == 409
    client.force_login(house.alice)
    again = bring(client, asked, list=file("c.csv", listed(4)))
    assert judge(client, house.alice, again, "withdraw", "Wrong").status_code == 302
    assert "population_rejected" in half(house, asked)[1]
    verbs = AuditEvent.objects.values_list("verb", flat=True)
    assert {"population.rejected", "population.withdrawn"} <= set(verbs)


def test_who_drew_it_does_not_judge_it(client, house, asked, population):
    assert judge(client, house.alice, population).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        PopulationReview.objects.bulk_create(
            [
                PopulationReview(
                    population=population,
                    reviewer=house.alice,
                    drawer=house.alice,
                    decision="accepted",
                )
            ]
        )


def test_auditors_draw_samples_and_see_everything(client, house, asked, population):
    answer = sample(
        client, house.audrey, population, method="every-nth", every=4, first=2
    )
    assert answer.status_code == 302
    drawn = Sample.objects.get()
    assert [i.item.position for i in drawn.items.for_listing()] == [2, 6, 10]
    for path in (
        url(asked, ""),
        f"/populations/{population.uuid}/",
        answer.url,
        f"{answer.url}sample.csv",
    ):
        assert client.get(path).status_code == 200
    event = AuditEvent.objects.get(verb="sample.drawn")
    assert event.actor == house.audrey
    assert client.get(url(asked)).status_code == 403
    item = drawn.items.first()
    assert upload(client, house.audrey, asked, item).status_code == 403
    to = f"/sampled/{item.uuid}/deviates/"
    assert client.post(to, {"note": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "seen", "drawn", "brought"),
    [
        ("olivia", 200, 302, 200),
        ("rita", 200, 403, 403),
        ("ray", 200, 403, 403),
        ("bob", 404, 404, 403),
        ("mallory", 404, 404, 404),
    ],
)
def test_everybody_else_may_what_their_role_says(
    client, house, asked, population, name, seen, drawn, brought
):
    user = house.people[name]
    client.force_login(user)
    assert client.get(f"/populations/{population.uuid}/").status_code == seen
    assert client.get(url(asked)).status_code == brought
    confirm = client.post(url(asked, "confirm/"), {"token": "x"}).status_code
    assert confirm == (409 if brought == 200 else brought)
    assert sample(client, user, population).status_code == drawn
    assert judge(client, user, population, "withdraw", "x").status_code in {
        302 if name == "olivia" else 403,
        seen,
    }


def test_readers_record_no_deviation(client, house, asked, population):
    sample(client, house.alice, population, size=1)
    item = SampleItem.objects.get()
    to = f"/sampled/{item.uuid}/deviates/"
    expected = {"ray": 403, "bob": 404, "mallory": 404, "rita": 302}
    for name, status in expected.items():
        client.force_login(house.people[name])
        assert client.post(to, {"note": "x"}).status_code == status


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
    answer = sample(client, house.alice, population, **way)
    assert answer.status_code == 422
    assert answer.context["sample_form"].errors
    assert not Sample.objects.exists()


def test_the_same_seed_draws_the_same_and_a_missing_one_is_made(
    client, house, population
):
    sample(client, house.alice, population)
    sample(client, house.alice, population)
    sample(client, house.alice, population, seed="")
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
        sample(client, house.alice, population, method="by-hand", positions="4")
    first, second = SampleItem.objects.order_by("pk")
    upload(client, house.alice, asked, first)
    EvidenceLink.objects.get().accept(by=house.rita)
    assert half(house, asked)[0] == "proven"
    assert second.sample.items.for_listing().get().state == "accepted"


def test_an_item_of_another_requirement_is_not_found(client, house, asked, population):
    sample(client, house.alice, population, size=1)
    item = SampleItem.objects.get()
    other = house.requirement("si-2")
    assert upload(client, house.alice, other, item).status_code == 404
    to = f"/systems/shop/requirements/{asked.uuid}/upload/?item=nonsense"
    assert client.get(to).status_code == 404


def test_a_correction_stays_with_its_item(client, house, asked, population):
    from evidence.revising import revise
    from evidence.submitting import Submission, store

    sample(client, house.alice, population, size=1)
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
    sample(client, house.alice, population)
    drawn = Sample.objects.get()
    text = client.get(f"/samples/{drawn.uuid}/sample.csv").content.decode()
    heading, *lines = text.splitlines()
    assert heading.startswith("position,key,day,Asked by,state,deviation,method,seed")
    assert len(lines) == 3
    assert all(population.sha256 in line and "random,s," in line for line in lines)


def test_pages_take_the_same_statements_for_one_and_for_many(
    client, house, asked, population, django_assert_max_num_queries
):
    sample(client, house.alice, population, method="all")
    (drawn,) = Sample.objects.all()
    for path in (f"/samples/{drawn.uuid}/", f"/populations/{population.uuid}/"):
        client.get(path)
        with django_assert_max_num_queries(22):
            assert client.get(path).status_code == 200


def test_every_step_locks_the_requirement_first(client, house, asked, population):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from evidence.drawing import draw_sample, judge_population, record_deviation
    from evidence.sampling import Way

    with CaptureQueriesContext(
        connection,
    ) as taken:
        judge_population(population, accept=True, by=house.rita)
        made = draw_sample(population, Way("all"), reason="All", by=house.alice)
        record_deviation(made.items.first(), note="Late", by=house.alice)
    locks = [q["sql"] for q in taken if "FOR UPDATE" in q["sql"]]
    assert len([sql for sql in locks if "evidencerequirement" in sql]) == 3


def test_a_list_of_many_files_cannot_answer_for_events(client, house, asked):
    client.force_login(house.alice)
    body = f"file,control,performed_on\na.txt,CM-8,{TODAY}\n".encode()
    sent = {"list": file("list.csv", body), "files": [file("a.txt")]}
    answer = client.post("/systems/shop/upload/", sent)
    assert answer.status_code == 422
    assert "asked per event" in answer.content.decode()


def test_work_and_queue_name_what_waits(client, house, asked, population):
    client.force_login(house.rita)
    assert "Populations to review" in client.get("/work/").content.decode()
    assert "1 population of events waits" in client.get("/review/").content.decode()
    judge(client, house.rita, population)
    sample(client, house.alice, population)
    page = client.get("/work/").content.decode()
    assert "3 sampled items to show" in page


def test_only_what_is_asked_per_event_has_populations(client, house):
    client.force_login(house.alice)
    assert client.get(url(house.requirement("si-2"))).status_code == 400


def test_a_hundred_thousand_rows_take_a_statement_per_batch(
    client, house, asked, django_assert_max_num_queries
):
    lines = [f"CHG-{n},{START}" for n in range(MAX_ROWS)]
    body = "\n".join(["key,day", *lines]).encode()
    client.force_login(house.alice)
    answer = client.post(url(asked), said(list=file("changes.csv", body)))
    token = answer.context["preview"].token
    with django_assert_max_num_queries(MAX_ROWS // 5000 + 40):
        client.post(url(asked, "confirm/"), {"token": token})
    made = Population.objects.get()
    assert made.items.count() == made.row_count == MAX_ROWS
    one_more = file("changes.csv", body + f"\nX,{START}".encode())
    refused = client.post(url(asked), said(list=one_more))
    assert "more than 100,000 rows" in refused.content.decode()


def test_the_demo_shows_a_sample_and_days_without_events(house):
    from evidence.demo.happenings import play_events
    from tests import factories

    oscar = house.olivia
    baseline = factories.make_baseline(("ac-2", "cm-3"), slug="events")
    system = factories.make_system(
        oscar, slug="demo", baseline=baseline, team=house.team
    )
    people = {"olivia": oscar, "paul": house.alice, "sara": house.bob}
    people |= {"rita": house.rita, "audrey": house.audrey}
    for name in ("alice", "bob"):
        factories.give_role(house.people[name], system, "contributor", team=house.team)
    factories.give_role(house.rita, system, "reviewer")
    factories.let_auditor_in(house.audrey, system)
    play_events(system, people, TODAY)
    changes, leavers = Population.objects.with_state().order_by("pk")
    assert [changes.row_count, leavers.row_count] == [60, 0]
    found = [i.state for i in SampleItem.objects.with_state()]
    assert [found.count(s) for s in ("accepted", "open")] == [12, 3]
    assert Deviation.objects.count() == 1
