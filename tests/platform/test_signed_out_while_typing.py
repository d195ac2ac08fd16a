"""AZ-08: a session that ends while somebody fills in a form costs nothing typed.

After signing in one is back at the page of the form, with its fields, whatever form it
was; only whoever typed it sees it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from evidence.views.doors import PAGES
from evidence.views.urls import urlpatterns
from srm_project.kept_forms import (
    COOKIE,
    IS_KEPT,
    MAX_KEPT_BYTES,
    NOT_KEPT,
    NOT_SEEN_LATELY,
    TOO_LONG,
)
from srm_project.typed import is_secret
from tests import factories
from tests.access import world as worlds
from tests.access.test_admin_leaves_events import acts
from tests.access.walking import address, doors, said_in_table
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY
from tests.platform.test_forms_sent_twice import forms
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits_count_anew() -> Iterator[None]:
    """What is sent here counts for no test that comes after."""
    yield
    cache.clear()


OWN_ORIGIN = {"Origin": "http://testserver"}
TYPED = "What I wrote for half an hour"
NOW = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)
SENDERS = ("olivia", "audrey", "rita", "alice")
NOT_THEIRS = {403, 404, 405}
TABLES = {name: said_in_table(name) for name in SENDERS}
POSTED = [door for door in doors() if door.view.startswith("evidence:")]


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    for person in (built.olivia, built.alice):
        person.set_password(factories.PASSWORD)
        person.save()
    return built


@pytest.fixture
def world(settings, tmp_path):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def signed_in_before(person: Any) -> Client:
    """A browser in which a person was signed in until the session ended."""
    browser = Client()
    browser.force_login(person)
    browser.get("/notices/")
    assert browser.cookies[COOKIE].value
    Session.objects.all().delete()
    return browser


def sign_in(browser: Client, person: Any, to: str) -> Any:
    """The page one is on after typing address and password."""
    form = {"login": person.email, "password": factories.PASSWORD}
    return browser.post(to, form, follow=True)


def ask(house: House) -> tuple[str, dict[str, str]]:
    """A form of a control's page: its address, and what is typed."""
    url = reverse("evidence:override_request", args=["shop", "pe-3"])
    return url, {"responsibility": "shared", "reason": TYPED, "starts_on": "2026-11-23"}


def test_back_at_the_page_of_the_form_with_its_fields(house) -> None:
    browser, (url, form) = signed_in_before(house.olivia), ask(house)
    answer = browser.post(url, form)
    assert answer.status_code == 302
    page = sign_in(browser, house.olivia, answer["Location"])
    assert page.status_code == 200
    assert page.redirect_chain[-1][0] == reverse(
        "evidence:control", args=["shop", "pe-3"]
    )
    text = page.content.decode()
    assert "You were signed out before this was sent" in text
    assert TYPED in text
    assert f'action="{url}"' in text
    sent = browser.post(url, form | {"ends_on": "2026-12-31"})
    assert sent.status_code == 302
    assert house.system.implementations.get(control__ref_id="pe-3").overrides.get()
    assert TYPED not in browser.get("/notices/").content.decode()


def test_a_form_that_is_a_page_itself(house) -> None:
    browser = signed_in_before(house.olivia)
    url = reverse("evidence:request_new", args=["shop"])
    answer = browser.post(url, {"title": TYPED, "control_ids": "CM-8"})
    page = sign_in(browser, house.olivia, answer["Location"])
    assert page.redirect_chain[-1][0] == url
    assert TYPED in page.content.decode()


def test_lists_and_choices_of_services_come_back(house) -> None:
    """A report's scope by a list, what an account uses, and a comparison made real."""
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    report = factories.make_report(
        artifact, TODAY - dt.timedelta(days=90), TODAY, services=["ebs"]
    )
    compared = reverse("evidence:what_if", args=["shop"])
    for url, form, place, shown in (
        (
            reverse("evidence:version_scope", args=[report.uuid]),
            {"how": "replace", "text": f"Amazon S3\n{TYPED}"},
            "",
            (TYPED, "Amazon S3", "replace"),
        ),
        (
            reverse("evidence:discovery", args=["shop"]),
            {"text": f"sqs\n{TYPED}"},
            "",
            (TYPED, "sqs"),
        ),
        (
            reverse("evidence:services_change", args=["shop"]),
            {"end": "ec2:standard", "add": "lambda:runtime-auto", "reason": TYPED},
            compared,
            (TYPED, "ec2:standard", "lambda:runtime-auto"),
        ),
    ):
        browser = signed_in_before(house.olivia)
        page = sign_in(browser, house.olivia, browser.post(url, form)["Location"])
        assert page.redirect_chain[-1][0] == (place or url)
        text = page.content.decode()
        for word in ("You were signed out before this was sent", *shown):
            assert word in text, (url, word)
        assert browser.post(url, form).status_code in (200, 422), url
    # a comparison lies in its address, which signing in leads back to
    browser = signed_in_before(house.olivia)
    chosen = f"{compared}?end=ec2%3Astandard&first_day=2026-12-01"
    page = sign_in(browser, house.olivia, browser.get(chosen)["Location"])
    assert page.redirect_chain[-1][0] == chosen
    assert page.context["ending"]


def test_what_is_let_go_is_gone(house) -> None:
    browser, (url, form) = signed_in_before(house.olivia), ask(house)
    page = sign_in(browser, house.olivia, browser.post(url, form)["Location"])
    assert TYPED in page.content.decode()
    browser.post(reverse("evidence:kept_form_let_go"))
    assert TYPED not in browser.get("/notices/").content.decode()


def test_nobody_else_sees_it(house) -> None:
    """The same browser, another person."""
    browser, (url, form) = signed_in_before(house.olivia), ask(house)
    page = sign_in(browser, house.alice, browser.post(url, form)["Location"])
    assert page.status_code == 200
    assert TYPED not in page.content.decode()


def test_nothing_is_kept_of_strangers(house) -> None:
    """Who never signed in here, who signed out, and who sends too much."""
    url, form = ask(house)
    Client().post(url, form)
    left = Client()
    left.force_login(house.olivia)
    left.get("/notices/")
    left.post("/accounts/logout/")
    left.post(url, form)
    signed_in_before(house.olivia).post(url, form | {"reason": "x" * MAX_KEPT_BYTES})
    assert not [s for s in Session.objects.all() if "kept_form" in s.get_decoded()]


def test_a_page_of_another_site_plants_nothing(house) -> None:
    """Without the token of a page of ours, as AZ-08 asks, nothing is kept."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(house.olivia)
    browser.get("/notices/")
    Session.objects.all().delete()
    for url in (
        ask(house)[0],
        reverse("evidence:upload", args=["shop", house.requirement().uuid]),
    ):
        browser.post(url, {"reason": TYPED}, headers={"Origin": "https://evil.test"})
    assert not Session.objects.exists()


def test_a_page_opened_before_one_signed_in_again(house) -> None:
    """Its token is too old: the form is shown once more, with a new one."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(house.olivia)
    url, form = ask(house)
    answer = browser.post(
        url, form | {"csrfmiddlewaretoken": "x" * 64}, headers=OWN_ORIGIN
    )
    assert answer.status_code == 403
    page = answer.content.decode()
    assert TYPED in page
    assert "opened before you signed in again" in page
    token = answer.context["csrf_token"]
    again = form | {"ends_on": "2026-12-31", "csrfmiddlewaretoken": str(token)}
    assert browser.post(url, again, headers=OWN_ORIGIN).status_code == 302
    foreign = browser.post(url, form, headers={"Origin": "https://evil.test"})
    assert foreign.status_code == 403
    assert TYPED not in foreign.content.decode()


def test_the_upload_script_is_told_and_keeps_its_page(house) -> None:
    browser = signed_in_before(house.alice)
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    answer = browser.post(url, {"title": TYPED}, headers={"X-Upload-Script": "1"})
    assert answer.status_code == 401
    assert "Sign in on another page of this browser" in answer.content.decode()


def test_a_part_of_a_page_that_is_fetched_leaves_the_page_as_it_is(house) -> None:
    """What htmx would put into the page is no part of it; what was ticked stays."""
    browser, url = signed_in_before(house.olivia), reverse("evidence:system_new")
    for ask_for in (browser.post, browser.get):
        answer = ask_for(url, {"show": "count"}, headers={"HX-Request": "true"})
        assert answer.status_code == 401
    page = sign_in(browser, house.olivia, f"/accounts/login/?next={url}")
    assert "before this was sent" not in page.content.decode()


def test_every_door_that_takes_forms_only_has_its_page() -> None:
    assert set(PAGES) <= {pattern.name for pattern in urlpatterns}
    refused = [
        view for (method, view), status in TABLES["olivia"].items()
        if method == "GET" and view.startswith("evidence:") and status == 405
    ]  # fmt: skip
    assert not refused


def lost(browser: Client, person: Any, url: str, body: dict[str, Any]) -> list[str]:
    """What of a form is not on the page one comes to, sent without a session."""
    Session.objects.all().delete()
    back = browser.post(url, body)
    if back.status_code != 302 or "/accounts/login/" not in back["Location"]:
        return [f"{url}: {back.status_code} without a session"]
    browser.force_login(person)
    page = browser.get(
        parse_qs(urlsplit(back["Location"]).query)["next"][0], follow=True
    )
    text = "" if page.streaming else unescape(page.content.decode())
    if page.status_code in {405, 500} or "<h1" not in text:
        return [f"{url}: {page.status_code}"]
    fields = [
        (name, one)
        for name, value in body.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return [
        f"{url}: {name}"
        for name, value in fields
        if f'name="{name}"' not in text
        or not (is_secret(name) or hasattr(value, "read") or str(value) in text)
    ]


def test_every_form_comes_back_whole(world) -> None:
    """Every address that takes a form, by whoever may send it: officer, reviewer,
    auditor, contributor. Nothing typed is lost, and no address answers 405."""
    made, missing, tried = forms(world), [], 0
    browsers = {name: Client(raise_request_exception=False) for name in SENDERS}
    for name, browser in browsers.items():
        browser.force_login(world.house.people[name])
        browser.get("/notices/")
    for door in POSTED:
        senders = [n for n in SENDERS if TABLES[n]["POST", door.view] not in NOT_THEIRS]
        if not senders:
            continue
        form = made.get(door.view.partition(":")[2])
        body = world.bodies.get(f"POST {door.view}") or (form.body if form else {})
        sent = {"reason": TYPED} | body
        person = world.house.people[senders[0]]
        missing += lost(browsers[senders[0]], person, address(door, world), sent)
        tried += 1
    assert missing == []
    assert tried > 140


def test_every_form_of_the_admin_comes_back_but_passwords(world) -> None:
    root = factories.administrator()
    browser = sign_in_just_now(Client(), root)
    browser.get("/notices/")
    missing = []
    for act in list(acts(browser, root)):
        missing += lost(browser, root, act.path, act.body)
    assert missing == []
    kept = [s.get_decoded().get("kept_form") for s in Session.objects.all()]
    assert [name for form in kept if form for name in form["secrets"]]
    assert "a long enough one 9" not in str(kept)


def test_what_cannot_be_kept_is_said_before_signing_in(house, monkeypatch) -> None:
    """Too long, or nobody was signed in in this browser for a week."""
    url, form = ask(house)
    long = signed_in_before(house.olivia).post(
        url, form | {"reason": "x" * MAX_KEPT_BYTES}, headers=OWN_ORIGIN, follow=True
    )
    assert NOT_KEPT.format(TOO_LONG) in long.content.decode()
    unknown = Client().post(url, form, follow=True)
    assert NOT_KEPT.format(NOT_SEEN_LATELY) in unknown.content.decode()
    kept = signed_in_before(house.olivia).post(url, form, follow=True)
    assert IS_KEPT in kept.content.decode()
    foreign = Client(enforce_csrf_checks=True).post(
        url, form, headers={"Origin": "https://evil.test"}, follow=True
    )
    assert "could not be kept" not in foreign.content.decode()


def test_the_browser_is_known_for_a_week_since_it_was_last_used(house) -> None:
    url, form = ask(house)
    browser = Client()
    with time_machine.travel(NOW):
        browser.force_login(house.olivia)
        browser.get("/notices/")
        first = browser.cookies[COOKIE].value
        browser.get("/notices/")
        assert browser.cookies[COOKIE].value == first
    with time_machine.travel(NOW + dt.timedelta(hours=2)):
        browser.force_login(house.olivia)
        browser.get("/notices/")
        assert browser.cookies[COOKIE].value != first
    Session.objects.all().delete()
    with time_machine.travel(NOW + dt.timedelta(days=7)):
        assert IS_KEPT in browser.post(url, form, follow=True).content.decode()
