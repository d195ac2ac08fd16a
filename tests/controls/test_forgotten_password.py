"""Somebody who forgot the password gets a link by mail, sets a new one, and reads at
each step what is kept and what to do next; who has no account learns of nobody else's.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db
ASK = "/accounts/password/reset/"
NEW = "a long new pass phrase"


@pytest.fixture(autouse=True)
def mail_goes_out(settings: Any) -> None:
    cache.clear()  # so many mails an hour
    settings.SENDS_MAIL = True
    settings.MFA_REQUIRED = False


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(unescape(text).split())


def link_in(mail: Any) -> str:
    return re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mail.body)[1]


def test_a_link_by_mail_sets_a_new_password_once(client, alice, mailoutbox):
    assert "your password stays as it is" in text_of(client.get(ASK))
    asked = client.post(ASK, {"email": alice.email}, follow=True)
    assert "It works once, within 24 hours." in text_of(asked)
    (mail,) = mailoutbox
    assert mail.subject == "SRM: set a new password"
    assert f"for the account {alice.email}" in mail.body
    assert "If you asked for nothing, do nothing." in mail.body
    link = link_in(mail)
    form = client.get(link, follow=True)
    assert "Set a new password" in text_of(form)
    step = form.redirect_chain[-1][0]
    wrong = client.post(step, {"password1": "short", "password2": "short"})
    assert "There is a problem" in text_of(wrong)
    done = client.post(step, {"password1": NEW, "password2": NEW}, follow=True)
    assert "The password is changed" in text_of(done)
    assert authenticate(None, email=alice.email, password=NEW) == alice
    again = Client().get(link, follow=True)
    assert "This link does not work any more" in text_of(again)
    assert "Your password was not changed." in text_of(again)


def test_an_unknown_address_gets_the_same_page_and_no_link(client, alice, mailoutbox):
    """AZ-03: the page does not say who has an account."""
    known = client.post(ASK, {"email": alice.email}, follow=True)
    unknown = Client().post(ASK, {"email": "nobody@example.com"}, follow=True)
    assert text_of(known) == text_of(unknown)
    mail = mailoutbox[-1]
    assert mail.subject == "SRM: no account has this address"
    assert "invite you" in mail.body
    assert "signup" not in mail.body and "/key/" not in mail.body


def test_without_mail_the_page_offers_no_form(client, settings):
    settings.SENDS_MAIL = False
    page = client.get(ASK)
    assert "This installation sends no mail" in text_of(page)
    assert 'name="email"' not in page.content.decode()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("account_signup", "Accounts come by invitation"),
        ("account_inactive", "This account has ended"),
    ],
)
def test_who_has_no_account_reads_whom_to_ask(client, name, sentence):
    page = text_of(client.get(reverse(name)))
    assert sentence in page
    assert "ask an" in page.lower()


def test_the_second_factor_says_what_each_way_is_for(as_user, alice):
    page = text_of(as_user(alice).get(reverse("mfa_index")))
    assert "An app on your phone would give you a code for each sign-in." in page
    assert "They come with an app or a key" in page
    form = text_of(as_user(alice).get(reverse("account_change_password")))
    assert "Your tokens, and sign-ins elsewhere, end with the old one." in form
