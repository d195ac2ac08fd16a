"""R1, R8: who adds a system sees what each service means and which controls it turns,
searches the services without a script, and is led to the next three steps."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import Baseline, Service, System
from controls.responsibility.new_system import tally_of
from tests import factories
from tests.evidence.systems.test_describe_a_system import filled_in
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
NEW = "/systems/new/"


@pytest.fixture
def browser(settings, db) -> Client:
    settings.MFA_REQUIRED = False
    return sign_in_just_now(Client(), factories.administrator())


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_every_service_stands_on_a_line_with_what_it_means(browser):
    page = text_of(browser.get(NEW))
    assert page.count('class="means"') == Service.objects.count()
    assert (
        "You patch and harden the guest operating system and set the firewall" in page
    )
    assert "AWS runs operating system and platform; access, settings and data" in page
    meanings = re.findall(r'class="means"[^>]*>([^<]*)<', page)
    assert all(meaning.strip().endswith(".") for meaning in meanings)
    assert "None" not in " ".join(meanings)


@pytest.mark.parametrize(
    ("search", "shown", "hidden"),
    [
        ("lambda", "lambda", "ec2"),
        ("database", "rds", "s3"),
        ("Amazon S3", "s3", "rds"),
    ],
)
def test_services_are_searched_without_a_script(browser, search, shown, hidden):
    answer = browser.post(NEW, {"q": search, "show": "services"})
    page = text_of(answer)
    assert answer.status_code == 200
    assert f'name="use_{shown}"' in page
    assert f'name="use_{hidden}"' not in page


def test_kinds_that_few_use_are_folded_with_the_names_of_their_services(browser):
    def is_open(answer: Any, kind: str) -> bool:
        page = text_of(answer)
        opened = rf'class="services" (open)?> <summary> <h2>{kind}</h2>'
        return bool(re.search(opened, page)[1])  # type: ignore[index]

    answer = browser.get(NEW)
    assert is_open(answer, "Compute")
    assert not is_open(answer, "Analytics")
    assert 'class="names">AWS Glue, Amazon Athena,' in text_of(answer)
    searched = browser.post(NEW, {"q": "athena", "show": "services"})
    assert is_open(searched, "Analytics")
    ticked = browser.post(NEW, {"use_glue": "on", "show": "count"})
    assert is_open(ticked, "Analytics")
    assert not is_open(ticked, "Not AWS")


def test_a_search_keeps_what_is_ticked_and_typed_and_makes_nothing(browser):
    typed = filled_in(q="nothing of that name", show="services", regions="us-east-1")
    page = text_of(browser.post(NEW, typed))
    assert re.search(r'name="use_ec2"[^>]*checked', page)
    assert '<option value="container-image" selected>' in page
    assert 'value="Ledger"' in page
    assert 'value="2026-12-31"' in page
    assert 'name="use_s3"' not in page
    assert not System.objects.exists()


def test_the_tally_says_what_the_system_will_say(browser):
    page = text_of(browser.post(NEW, filled_in(show="count")))
    assert "With 3 services" in page
    said = {
        word: int(number)
        for number, word in re.findall(
            r'class="number">(\d+)</span> (inherited|shared|customer)', page
        )
    }
    browser.post(NEW, filled_in())
    system = System.objects.get()
    classes = list(system.implementations.values_list("responsibility", flat=True))
    assert said == {word: classes.count(word) for word in said}
    assert said["inherited"]
    assert said["shared"]


def test_what_a_service_turns_is_named(db):
    baseline = factories.make_baseline()
    variants = [factories.variant(name) for name in ("ec2", "s3", "iam")]
    whole = tally_of(baseline, variants, has_own_code=True)
    turned = {one.service: one.labels for one in whole.turned}
    assert "Amazon EC2" in turned
    without = tally_of(baseline, variants[1:], has_own_code=True)
    moved = sum(whole.classes.values()) - sum(
        min(whole.classes.get(c, 0), without.classes.get(c, 0))
        for c in {*whole.classes, *without.classes}
    )
    assert len(turned["Amazon EC2"]) >= moved > 0


def test_a_tally_of_nothing_asks_for_a_baseline_and_services(browser):
    for typed in ({"show": "count"}, {"show": "count", "baseline": "²"}):
        answer = browser.post(NEW, typed)
        assert answer.status_code == 200
        assert "Tick services: here you see" in text_of(answer)
        assert "Choose the regime and the impact level" in text_of(answer)
    assert Baseline.objects.exists()


def test_going_back_and_sending_it_again_makes_no_second_system(browser):
    """The page that the browser fetches anew has another token: the name tells."""
    browser.post(NEW, filled_in())
    again = browser.post(NEW, filled_in(name="LEDGER "))
    assert again.status_code == 422
    assert "There is a system “Ledger” already." in text_of(again)
    assert System.objects.called("ledger").count() == 1


def test_the_next_three_steps_stand_at_the_end(browser):
    answer = browser.post(NEW, filled_in(), follow=True)
    page = text_of(answer)
    assert "Ledger is added. You are its officer." in page
    for step, door in (
        ("Bring people", reverse("evidence:people", args=["ledger"])),
        ("Register the reports", reverse("evidence:artifact_new")),
        ("Check the first asks", reverse("evidence:requirements", args=["ledger"])),
    ):
        assert step in page
        assert f'href="{door}"' in page
    assert "1 person holds a role so far." in page
