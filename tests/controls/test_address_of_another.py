"""Which address cannot become one's own, and what administrators see and change."""

from __future__ import annotations

from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from controls.accounts import addresses
from controls.accounts.addresses import ask_for_address
from controls.models import AddressChange, AuditEvent, User
from tests import factories
from tests.controls.own_address import (
    NEW,
    OLD,
    UNUSABLE,
    address_of,
    ask,
    link_in,
    recorded,
    signed_in,
)
from tests.factories import PASSWORD
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_earlier_attempts(settings):
    """Attempts of other tests do not count."""
    cache.clear()
    settings.MFA_REQUIRED = False


@pytest.fixture
def browser(alice) -> Client:
    """Alice's browser; she signed in a while ago."""
    return signed_in(alice)


# --- addresses that cannot be one's own -------------------------------------------


@pytest.mark.parametrize("address", ["rita@example.com", "RITA@Example.com"])
def test_a_taken_address_is_refused_without_saying_whose(
    browser, alice, rita, mailoutbox, address
):
    answer = ask(browser, address)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert UNUSABLE in page
    assert "Rita" not in page
    assert (mailoutbox, recorded(), address_of(alice)) == ([], [], OLD)


def test_an_address_that_was_taken_meanwhile_is_refused(browser, alice, mailoutbox):
    ask(browser)
    factories.make_user("sam", name="Samantha")
    User.objects.filter(email="sam@example.com").update(email=NEW)
    answer = browser.post(link_in(mailoutbox))
    assert answer.status_code == 409
    assert UNUSABLE in answer.content.decode()
    assert "Samantha" not in answer.content.decode()
    assert (address_of(alice), recorded()) == (OLD, ["address.requested"])


def test_of_two_who_confirm_at_the_same_moment_one_is_refused(
    browser, alice, mailoutbox, monkeypatch
):
    ask(browser)
    factories.make_user("sam")
    User.objects.filter(email="sam@example.com").update(email=NEW)
    monkeypatch.setattr(addresses, "_is_taken", lambda address, person: False)
    assert browser.post(link_in(mailoutbox)).status_code == 409
    assert address_of(alice) == OLD


@pytest.mark.parametrize("address", [OLD, OLD.upper(), "no address", "", "İx@e.com"])
def test_what_is_no_other_address_is_refused(browser, alice, mailoutbox, address):
    assert ask(browser, address).status_code == 400
    assert (mailoutbox, recorded(), address_of(alice)) == ([], [], OLD)


def test_nothing_waits_when_the_mail_server_takes_no_mail(browser, alice, postbox):
    postbox.refusing = True
    answer = ask(browser)
    assert answer.status_code == 400
    assert "The mails could not be sent" in answer.content.decode()
    assert AddressChange.objects.get().state == "withdrawn"
    assert recorded() == ["address.requested", "address.withdrawn"]


def test_many_wishes_in_a_minute_are_refused(browser, alice, mailoutbox):
    answers = [ask(browser, f"a{number}@new.example") for number in range(12)]
    assert answers[0].status_code == 302
    assert answers[-1].status_code == 429


# --- the admin, and what was there before -----------------------------------------


def person_form(person: User, **changed: object) -> dict[str, object]:
    flags = {"is_active": "on", "is_staff": "on", "is_superuser": "on"}
    kept = {name: said for name, said in flags.items() if getattr(person, name)}
    return {"email": person.email, "name": person.name} | kept | changed


def test_an_administrator_changes_their_own_on_the_same_page(mailoutbox):
    root = factories.administrator()
    url = reverse("admin:controls_user_change", args=[root.pk])
    browser = sign_in_just_now(Client(), root)
    assert reverse("account_email") in browser.get(url).content.decode()
    said = person_form(root, email="root@new.example", name="Root")
    assert browser.post(url, said).status_code == 302
    assert address_of(root) == "administrator@example.com"
    assert root.name == "Root"
    assert mailoutbox == []


def test_an_address_that_an_administrator_changes_is_told(
    alice, mailoutbox, django_capture_on_commit_callbacks
):
    url = reverse("admin:controls_user_change", args=[alice.pk])
    browser = sign_in_just_now(Client(), factories.administrator())
    with django_capture_on_commit_callbacks(execute=True):
        assert browser.post(url, person_form(alice, email=NEW)).status_code == 302
    assert address_of(alice) == NEW
    assert AuditEvent.objects.filter(verb="user.changed").count() == 1
    (told,) = mailoutbox
    assert told.to == [OLD]
    assert "administrator@example.com" in told.body


def test_the_admin_shows_wishes_to_superusers_and_changes_none(alice, oscar):
    change = ask_for_address(alice, NEW)
    root = signed_in(factories.administrator())
    url = reverse("admin:controls_addresschange_change", args=[change.pk])
    assert NEW in root.get(url).content.decode()
    assert root.post(url, {"address": OLD}).status_code == 403
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    assert signed_in(oscar).get(url).status_code == 403


def test_addresses_that_were_added_earlier_count_no_more(alice):
    row = {"user": alice, "email": "late@example.com", "verified": True}
    EmailAddress.objects.create(**row)
    found = {"email": "late@example.com", "password": PASSWORD}
    assert authenticate(None, **found) == alice
    step = import_module("controls.migrations.0006_no_other_addresses")
    step.forget_other_addresses(apps, None)
    assert authenticate(None, **found) is None
    assert address_of(alice) == OLD


def test_no_page_of_the_account_lists_addresses_anew(browser, alice):
    for name in ("account_email", "mfa_index", "account_change_password"):
        assert browser.get(reverse(name)).status_code == 200
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert not EmailAddress.objects.exists()
