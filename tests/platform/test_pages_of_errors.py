"""A person who meets an error reads what happened, what became of it and what to do:
404, 403, 405, 413, 429 and 500 are pages in people's words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse

from srm_project import errors

pytestmark = pytest.mark.django_db


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def test_404_names_no_class_and_says_whom_to_ask(as_user, mallory, system):
    browser = as_user(mallory)
    for path in (f"/systems/{system.slug}/", "/no/such/page/"):
        answer = browser.get(path)
        assert answer.status_code == 404
        text = text_of(answer)
        assert "it is about a system in which you hold no role now" in text
        assert "matches the given query" not in text
        assert "tried" not in text


def test_404_of_ours_keeps_its_sentence():
    request = RequestFactory().get("/")
    page = errors.absent(request, Http404("That is not offered (any more)."))
    assert "That is not offered (any more)." in text_of(page)


def test_403_says_why_and_whom_to_ask(as_user, rita, system):
    path = reverse("evidence:people_invite", args=[system.slug])
    answer = as_user(rita).post(path, {})
    assert answer.status_code == 403
    text = text_of(answer)
    assert "Only a compliance officer of this system may do this." in text
    assert "ask an officer of the system" in text


def test_405_is_a_page_with_a_way_back(as_user, rita):
    answer = as_user(rita).post("/systems/")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert "This address is not a page" in text_of(answer)
    assert "Back to the start" in text_of(answer)


def test_405_of_the_api_stays_a_problem(as_user, rita):
    answer = as_user(rita).post(reverse("notice-list"))
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


def test_413_says_that_nothing_was_stored(rita):
    request = RequestFactory().post("/")
    page = errors.unreadable(request, RequestDataTooBig("The body is too long."))
    assert page.status_code == 413
    assert "The body is too long." in text_of(page)
    assert "Nothing was stored." in text_of(page)


def test_413_of_django_names_no_setting(as_user, rita, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = as_user(rita).post(reverse("evidence:review_several"), {"x": "y" * 2000})
    assert answer.status_code == 413
    text = text_of(answer)
    assert "may have at most 1 kB; this has more." in text
    assert "settings" not in text


def test_414_is_a_page_that_says_how_long_an_address_may_be():
    long = "/search/?q=" + "x" * 6000
    answer = Client().get(long)
    assert answer.status_code == 414
    assert "SRM reads addresses of at most 6,000 characters." in text_of(answer)
    problem = Client().get(f"/api/v1/systems/?page={'1' * 6000}")
    assert problem.json()["title"] == "Address too long"
    assert Client().get(long[:6000]).status_code == 302


def test_404_of_who_is_not_signed_in_leads_to_the_sign_in():
    answer = Client().get("/no/such/page/")
    assert answer.status_code == 404
    assert "You are not signed in" in text_of(answer)
    assert "/accounts/login/?next=/no/such/page/" in answer.content.decode()


def test_503_is_a_page_that_says_what_is_kept():
    request = RequestFactory().get("/")
    page = errors.bare_page(request, 503, errors.AWAY)
    assert (page.status_code, page["Content-Type"]) == (
        503,
        "text/html; charset=utf-8",
    )
    text = text_of(page)
    assert "The database is not reachable." in text
    assert "What you sent was not saved. Your browser still has the form" in text


def test_csrf_failure_keeps_what_was_typed(rita):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rita)
    path = reverse("evidence:review_several")
    sent = {"reason": "What I typed"}
    answer = browser.post(path, sent, headers={"origin": "http://testserver"})
    assert answer.status_code == 403
    assert "nothing was done. Send it once more." in text_of(answer)
    assert "What I typed" in text_of(answer)


def test_429_says_to_wait(settings):
    from django.core.cache import cache

    cache.clear()
    client = Client()
    path = reverse("account_reset_password")
    answers = [client.post(path, {"email": "x@example.com"}) for _ in range(30)]
    assert answers[-1].status_code == 429
    assert "Wait a few minutes, then try again." in text_of(answers[-1])


def test_500_says_what_became_of_it_and_the_number_of_the_request(
    as_user, rita, monkeypatch
):
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("evidence.views.systems.systems_page", broken)
    browser = as_user(rita)
    browser.raise_request_exception = False
    answer = browser.get("/systems/")
    assert answer.status_code == 500
    text = text_of(answer)
    assert "saved whole or not at all" in text
    assert f"the number {answer['X-Request-ID']}" in text
    assert "secret detail" not in text
