"""The rules have a number, beside the clocks wherever these stand (R35)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from evidence.exports.jobs import make_export, opened_for, request_export
from evidence.models import Export
from evidence.status import rules
from evidence.status.rules import EDITIONS, RULES, rules_then
from tests.one_day import TODAY

SINCE = EDITIONS[-1].since
BEFORE = SINCE - dt.timedelta(days=9)


def test_an_instant_before_the_number_names_the_one_in_force_then():
    """R35: to the microsecond; `known_at` is exclusive."""
    first = dt.datetime.combine(SINCE, dt.time(), tzinfo=dt.UTC)
    assert rules_then(None) is None
    assert rules_then(first) == RULES - 1
    assert rules_then(first + dt.timedelta(microseconds=1)) is None
    assert rules_then(first - dt.timedelta(days=400)) == RULES - 1


def test_of_three_numbers_the_one_in_force_is_named(monkeypatch):
    later = rules.RulesEdition(RULES + 1, SINCE + dt.timedelta(days=30), {"R1": "x"})
    monkeypatch.setattr(rules, "EDITIONS", (*EDITIONS, later))
    monkeypatch.setattr(rules, "RULES", RULES + 1)
    of_day = {
        days: rules_then(rules.first_instant(SINCE + dt.timedelta(days=days)))
        for days in (-5, 5, 35)
    }
    assert of_day == {-5: RULES - 1, 5: RULES, 35: None}


def test_numbers_rise_and_their_days_too():
    assert [edition.number for edition in EDITIONS] == list(range(1, RULES + 1))
    days = [edition.since for edition in EDITIONS[1:]]
    assert days == sorted(set(days))


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["dashboard", "controls", "control"])
def test_pages_with_clocks_show_the_number(page, system, oscar, as_user, on_day):
    """R35: today's number; about what was known earlier, both."""
    on_day(SINCE + dt.timedelta(days=30))
    parts = [system.slug, "ac-2"] if page == "control" else [system.slug]
    url = reverse(f"evidence:{page}", args=parts)
    now = " ".join(as_user(oscar).get(url).content.decode().split())
    assert f"rules {RULES}</a>" in now
    assert "In force then" not in now


@pytest.mark.django_db
def test_an_answer_as_known_then_names_both_numbers(monkeypatch, system):
    """R35, in the words of a page's header."""
    from evidence.status.clocks import Clocks
    from evidence.status.gather import Moment

    known = dt.datetime.combine(BEFORE, dt.time(12), tzinfo=dt.UTC)
    clocks = Clocks(system, Moment(BEFORE, known), SINCE, (BEFORE, SINCE), "")
    assert (clocks.rules, clocks.rules_then) == (RULES, RULES - 1)


@pytest.mark.django_db
def test_the_api_answers_with_the_number(system, oscar, as_user):
    """R35: of all controls, of one, and of its occurrences."""
    browser = as_user(oscar)
    ways = (
        reverse("system-controls", args=[system.slug]),
        reverse("system-control", args=[system.slug, "ac-2"]),
        reverse("api_occurrences", args=[system.slug, "ac-2"]),
    )
    for url in ways:
        answer = browser.get(url).json()
        body = answer["results"][0] if "results" in answer else answer
        assert (body["rules"], body["rules_then"]) == (RULES, None), url


@pytest.mark.django_db
def test_the_command_prints_the_number(system, capsys):
    call_command("control_status", system.slug)
    document = json.loads(capsys.readouterr().out)[0]
    assert (document["rules"], document["rules_then"]) == (RULES, None)


@pytest.mark.django_db(transaction=True)
def test_an_export_names_the_number_in_its_file_and_beside_it(
    system, oscar, settings, tmp_path, as_user, django_capture_on_commit_callbacks
):
    """R35: and one made before keeps the number it was made by."""
    settings.EVIDENCE_STORE = str(tmp_path)
    export = request_export(system, by=oscar, on=TODAY)
    make_export(export.pk)
    export.refresh_from_db()
    with opened_for(export, by=oscar).body as file:
        row = next(csv.DictReader(io.StringIO(file.read().decode())))
    # an export knows up to an instant: the tests' day lies before the number's
    assert export.known_at.date() < SINCE
    assert (row["rules"], row["rules_then"]) == (str(RULES), str(RULES - 1))
    browser = as_user(oscar)
    url = reverse("export-detail", args=[export.uuid])
    assert browser.get(url).json()["rules"] == RULES
    Export.objects.filter(pk=export.pk).update(rules=1)
    assert browser.get(url).json()["rules"] == 1
    assert "by rules 1" in browser.get(reverse("evidence:exports")).content.decode()
