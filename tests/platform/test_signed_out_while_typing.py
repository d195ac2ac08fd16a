"""AZ-08: a session that ends while somebody fills in a form costs nothing typed.

After signing in one is back at the page of the form, with its fields, whatever form it
was; only whoever typed it sees it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from evidence.views.doors import PAGES
from evidence.views.urls import urlpatterns
from srm_project.kept_forms import COOKIE, MAX_KEPT_BYTES
from tests import factories
from tests.access import world as worlds
from tests.access.walking import address, doors, said_in_table
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
OWN_ORIGIN = {"Origin": "http://testserver"}
TYPED = "What I wrote for half an hour"
POSTED = [door for door in doors() if door.view.startswith("evidence:")]
TABLE = said_in_table("olivia")


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


def test_every_door_that_takes_forms_only_has_its_page() -> None:
    assert set(PAGES) <= {pattern.name for pattern in urlpatterns}
    refused = [
        view for (method, view), status in TABLE.items()
        if method == "GET" and view.startswith("evidence:") and status == 405
    ]  # fmt: skip
    assert not refused


def test_no_address_answers_405_after_signing_in(world) -> None:
    """Every form of the URLconf: a POST without a session, then signing in."""
    olivia, wrong = world.house.olivia, []
    reader = Client(raise_request_exception=False)
    reader.force_login(olivia)
    for door in POSTED:
        if TABLE["POST", door.view] == 405:
            continue
        url = address(door, world)
        back = Client().post(url, {"reason": TYPED})
        if back.status_code != 302 or "/accounts/login/" not in back["Location"]:
            wrong.append((door.view, back.status_code))
        page = reader.get(url, follow=True)
        empty = not page.streaming and b"<h1" not in page.content
        if page.status_code in {405, 500} or empty:
            wrong.append((door.view, page.status_code))
    assert not wrong
