"""R16, AC-06: an auditor tests sampled events one by one, each beside its files; what
they find stands beside the company's proof and changes none of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import TestedItem
from evidence.models.blobs import ScanState
from evidence.populations.populations import decide_population
from evidence.populations.samples import draw_sample
from evidence.populations.selection import SelectionMethod
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence import per_event
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> houses.House:
    return per_event.build(settings, tmp_path)


@pytest.fixture
def audit(house: Any) -> Any:
    return house.system.engagements.get()


@pytest.fixture
def sample(house: Any) -> Any:
    """Both events of a population, the first shown by alice."""
    asked = per_event.made_per_event(house)
    population = made_population(house, asked)
    drawn = draw_sample(
        population, SelectionMethod("all"), reason="Few.", by=house.audrey
    )
    submit(
        houses.patch_report(),
        [store("approval.txt", [b"approved by Ann"])],
        requirement=asked,
        item=drawn.items.order_by("pk")[0],
        by=house.alice,
        today=TODAY,
    )
    return drawn


def made_population(house: Any, asked: Any) -> Any:
    from evidence.populations.event_list import EventRow, Events
    from evidence.populations.populations import (
        PopulationStatement,
        submit_population,
    )

    statement = PopulationStatement(
        starts=per_event.START,
        ends=per_event.END,
        source="Tickets",
        query="type = change",
        completeness="Numbers without gaps.",
    )
    rows = [EventRow(n, f"CHG-{n}", per_event.START) for n in (1, 2)]
    made = submit_population(
        asked, statement, Events(rows=rows), by=house.alice, today=TODAY
    )
    decide_population(made, accept=True, by=house.raul)
    return made


def browser_of(reader: Any) -> Client:
    return sign_in_just_now(Client(), reader)


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def sample_page(audit: Any, sample: Any) -> str:
    return reverse("evidence:audit_sample", args=[audit.uuid, sample.uuid])


def record(browser: Client, audit: Any, item: Any, **typed: Any) -> Any:
    typed = {"result": "passed", "note": "", "version": 0} | typed
    return record_all(browser, audit, item.sample, {item: typed})


def record_all(browser: Client, audit: Any, sample: Any, typed: Any) -> Any:
    """Everything that the one form of the page holds, sent."""
    door = reverse("evidence:results_save", args=[audit.uuid, sample.uuid])
    body = {}
    for item, one in typed.items():
        body[f"result-{item.uuid}"] = one["result"]
        body[f"note-{item.uuid}"] = one.get("note", "")
        body[f"seen-{item.uuid}"] = f"{one.get('version', 0)}||"
    return browser.post(door, body, follow=True)


def test_from_an_item_to_its_file_on_one_page(house, audit, sample) -> None:
    hers = browser_of(house.audrey)
    listed = hers.get(reverse("evidence:audit_samples", args=[audit.uuid]))
    assert "0 of 2 tested, 0 exceptions" in text_of(listed)
    assert sample_page(audit, sample) in listed.content.decode()
    answer = hers.get(sample_page(audit, sample))
    text = text_of(answer)
    assert "CHG-1" in text and "CHG-2" in text
    assert "approval.txt Preview" in text
    assert "No file is shown for it yet." in text
    assert answer.content.decode().count("Choose a result") == 2
    (download,) = re.findall(r'href="(/files/[0-9a-f-]+/)"', answer.content.decode())
    assert b"".join(hers.get(download)) == b"approved by Ann"
    verbs = AuditEvent.objects.filter(actor=house.audrey).values_list("verb", flat=True)
    assert any("download" in verb or "file" in verb for verb in verbs)


def test_a_result_per_item_is_kept_with_its_versions(house, audit, sample) -> None:
    first, _ = sample.items.order_by("pk")
    hers = browser_of(house.audrey)
    answer = record(hers, audit, first)
    assert "1 result is saved, 0 exceptions among them." in text_of(answer)
    typed = {"result": "exception", "note": "Approved too late.", "version": 1}
    text = text_of(record(hers, audit, first, **typed))
    assert "Exception, by Audrey on 2026-11-23: Approved too late." in text
    listed = hers.get(reverse("evidence:audit_samples", args=[audit.uuid]))
    assert "1 of 2 tested, 1 exception" in text_of(listed)
    assert "Not tested yet." in text
    assert TestedItem.objects.get().version == 2
    event = AuditEvent.objects.filter(verb="sample-item.tested").latest("seq")
    assert "Approved too late." in event.body
    assert not hasattr(first, "deviation")


@pytest.mark.parametrize(
    ("typed", "status", "sentence"),
    [
        ({"result": "exception"}, 400, "CHG-1: say what the exception is."),
        ({"result": "", "note": "Looked."}, 400, "CHG-1: choose a result."),
        ({"result": "fine"}, 400, "CHG-1: choose a result."),
        ({"version": 4}, 409, "was tested by somebody else since you opened this"),
    ],
)
def test_a_result_that_cannot_be_is_refused(
    house, audit, sample, typed, status, sentence
) -> None:
    item = sample.items.order_by("pk")[0]
    answer = record(browser_of(house.audrey), audit, item, **typed)
    assert answer.status_code == status
    assert sentence in text_of(answer)
    assert not TestedItem.objects.exists()


def test_all_results_of_a_page_are_saved_in_one_act(house, audit, sample) -> None:
    """R16: all or none, an event for each, and what was typed stays where one is wrong;
    what nobody changed is left as it is."""
    first, second = sample.items.order_by("pk")
    hers = browser_of(house.audrey)
    typed = {first: {"result": "passed"}, second: {"result": "exception"}}
    refused = record_all(hers, audit, sample, typed)
    assert refused.status_code == 400
    assert "CHG-2: say what the exception is." in text_of(refused)
    assert refused.content.decode().count(" selected>") == 2
    assert not TestedItem.objects.exists()
    typed[second]["note"] = "No approval."
    answer = record_all(hers, audit, sample, typed)
    assert "2 results are saved, 1 exception among them." in text_of(answer)
    events = AuditEvent.objects.filter(verb="sample-item.tested")
    assert events.count() == 2
    # as the page shows it now, nothing is changed
    shown = dict(
        re.findall(r'name="(seen-[^"]+)"\s+value="([^"]*)"', answer.content.decode())
    )
    body = dict(shown)
    for item, one in typed.items():
        body[f"result-{item.uuid}"] = one["result"]
        body[f"note-{item.uuid}"] = one.get("note", "")
    door = reverse("evidence:results_save", args=[audit.uuid, sample.uuid])
    again = hers.post(door, body, follow=True)
    assert "No result was changed, so nothing was saved." in text_of(again)
    assert events.count() == 2
    other = house.system.engagements.get()
    assert hers.post(door, {"seen-x": "0||"}).status_code == 302
    assert other.tested_items.count() == 2


def test_only_auditors_of_the_engagement_record_results(house, audit, sample) -> None:
    item = sample.items.order_by("pk")[0]
    assert record(browser_of(house.olivia), audit, item).status_code == 403
    for name in ("alice", "rita", "ray"):
        browser = browser_of(house.people[name])
        assert record(browser, audit, item).status_code == 404
    answer = browser_of(house.olivia).get(sample_page(audit, sample))
    assert "Save all results" not in text_of(answer)
    assert not TestedItem.objects.exists()


def test_a_file_that_may_not_be_opened_says_why(house, audit, sample) -> None:
    from evidence.models import Blob

    Blob.objects.update(scan_state=ScanState.INFECTED)
    text = text_of(browser_of(house.audrey).get(sample_page(audit, sample)))
    assert "carries a virus" in text
    assert "approval.txt Preview" not in text


def test_the_database_refuses_an_exception_without_a_word(house, audit, sample) -> None:
    record(browser_of(house.audrey), audit, sample.items.order_by("pk")[0])
    with pytest.raises(IntegrityError), transaction.atomic():
        TestedItem.objects.update(result="exception")
