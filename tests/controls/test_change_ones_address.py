"""One's own address changes after signing in anew and confirming the new one."""

from __future__ import annotations

import datetime as dt

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.accounts import addresses
from controls.accounts.addresses import ask_for_address, confirm_address
from controls.errors import UnknownLink
from controls.models import AddressChange, AuditEvent, User
from controls.models.addresses import LINK_LIFE
from evidence.models import Notice, NoticeMail
from evidence.notices import mailing
from tests.controls.own_address import (
    NEW,
    OLD,
    PAGE,
    UNKNOWN,
    address_of,
    ask,
    link_in,
    recorded,
    signed_in,
)
from tests.factories import PASSWORD

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


# --- signing in anew --------------------------------------------------------------


@pytest.mark.parametrize(
    "button", ["action_add", "action_remove", "action_primary", "action_send", "other"]
)
@pytest.mark.parametrize("address", [NEW, OLD])
def test_nothing_changes_before_the_password_is_typed_again(
    browser, alice, mailoutbox, button, address
):
    answer = browser.post(PAGE, {"email": address, button: "yes"})
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert address_of(alice) == OLD
    assert (mailoutbox, recorded()) == ([], [])
    assert not AddressChange.objects.exists()
    assert not EmailAddress.objects.exists()


def test_a_wrong_password_changes_nothing(browser, alice, mailoutbox):
    ask(browser, password="not the password")
    assert address_of(alice) == OLD
    assert (mailoutbox, recorded()) == ([], [])


def test_having_just_signed_in_is_not_typing_it_again(alice, mailoutbox):
    client = Client()
    said = {"login": OLD, "password": PASSWORD}
    assert client.post(reverse("account_login"), said).status_code == 302
    answer = client.post(PAGE, {"email": NEW})
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert not AddressChange.objects.exists()


def test_who_has_nothing_to_sign_in_anew_with_is_refused(alice, mailoutbox):
    alice.set_unusable_password()
    alice.save()
    answer = signed_in(alice).post(PAGE, {"email": NEW})
    assert answer.status_code == 403
    assert "Ask an administrator" in answer.content.decode()
    assert (mailoutbox, recorded(), address_of(alice)) == ([], [], OLD)


def test_a_withdrawal_needs_the_password_too(alice, browser, mailoutbox):
    ask_for_address(alice, NEW)
    answer = browser.post(PAGE, {"action_remove": "yes"})
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert AddressChange.objects.get().state == "pending"


# --- waiting for confirmation -----------------------------------------------------


def test_the_new_address_waits_until_it_is_confirmed(browser, alice, mailoutbox):
    answer = ask(browser, "Alice@New.example")

    assert answer.url == PAGE
    assert address_of(alice) == OLD
    assert [mail.to for mail in mailoutbox] == [[OLD], [NEW]]
    warning, invitation = mailoutbox
    assert NEW in warning.body
    assert "Alice" not in invitation.body  # nobody has said yet whose mailbox it is
    assert "/confirm-email/" not in warning.body
    page = browser.get(PAGE).content.decode()
    assert "Waits for confirmation" in page
    assert NEW in page
    assert link_in(mailoutbox) not in page
    event = AuditEvent.objects.get(verb="address.requested")
    assert (event.actor, event.subject_uuid) == (alice, alice.uuid)
    assert NEW in event.body


def test_a_waiting_address_signs_nobody_in(browser, alice, mailoutbox):
    ask(browser)
    assert authenticate(None, email=NEW, password=PASSWORD) is None
    assert authenticate(None, email=OLD, password=PASSWORD) == alice


def test_no_link_to_a_new_password_goes_to_a_waiting_address(
    browser, alice, mailoutbox
):
    ask(browser)
    Client().post(reverse("account_reset_password"), {"email": NEW})
    for mail in mailoutbox:
        assert "/password/reset/key/" not in mail.body
    Client().post(reverse("account_reset_password"), {"email": OLD})
    assert mailoutbox[-1].to == [OLD]
    assert "/password/reset/key/" in mailoutbox[-1].body


def test_notices_go_to_the_address_in_force(browser, alice, system, mailoutbox):
    ask(browser)
    mail = NoticeMail.objects.create(user=alice, rows=1, created_at=clock.now())
    Notice.objects.create(
        user=alice,
        kind="due-soon",
        key="a",
        system=system,
        mail=mail,
        said={"what": "Patch report", "day": "Friday"},
    )
    assert mailing.message(mail).to == [OLD]
    browser.post(link_in(mailoutbox))
    assert mailing.message(NoticeMail.objects.get()).to == [NEW]


# --- the link ---------------------------------------------------------------------


def test_opening_the_link_confirms_nothing_and_the_button_does(
    browser, alice, mailoutbox
):
    ask(browser)
    link = link_in(mailoutbox)
    assert browser.get(link).status_code == 200
    assert address_of(alice) == OLD

    assert browser.post(link).url == PAGE

    assert address_of(alice) == NEW
    assert recorded() == ["address.requested", "address.changed"]
    event = AuditEvent.objects.get(verb="address.changed")
    assert (event.actor, event.subject_uuid) == (alice, alice.uuid)
    told = mailoutbox[-1]
    assert told.to == [OLD]
    assert f"from {OLD} to {NEW}" in told.body
    assert authenticate(None, email=NEW, password=PASSWORD) == alice
    assert authenticate(None, email=OLD, password=PASSWORD) is None
    assert not EmailAddress.objects.exists()


def test_without_its_event_no_address_is_changed(
    browser, alice, mailoutbox, monkeypatch
):
    ask(browser)

    def fail(event):
        raise RuntimeError("The log is full.")

    monkeypatch.setattr(AuditEvent.objects, "append", fail)
    browser.raise_request_exception = False
    assert browser.post(link_in(mailoutbox)).status_code == 500
    assert address_of(alice) == OLD
    assert AddressChange.objects.get().state == "pending"


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_person_does_not_confirm_it(browser, alice, rita, mailoutbox, method):
    ask(browser)
    answer = getattr(signed_in(rita), method)(link_in(mailoutbox))
    page = answer.content.decode()
    assert answer.status_code == 404
    assert UNKNOWN in page
    assert "Alice" not in page
    assert NEW not in page
    assert (address_of(alice), address_of(rita)) == (OLD, "rita@example.com")
    assert recorded() == ["address.requested"]


def test_a_visitor_signs_in_first(browser, alice, mailoutbox):
    ask(browser)
    answer = Client().post(link_in(mailoutbox))
    assert answer.url.startswith(reverse("account_login"))
    assert address_of(alice) == OLD


def test_a_link_counts_once_and_not_when_it_is_another(browser, alice, mailoutbox):
    ask(browser)
    link = link_in(mailoutbox)
    for wrong in (f"{link[:-1]}x/", "/accounts/confirm-email/anything/"):
        assert browser.post(wrong).status_code == 404
    assert address_of(alice) == OLD
    browser.post(link)
    assert browser.post(link).status_code == 404
    assert recorded().count("address.changed") == 1


def test_a_newer_wish_and_a_withdrawal_end_a_link(browser, alice, mailoutbox):
    ask(browser)
    first = link_in(mailoutbox)
    ask(browser, "alice@other.example")
    second = link_in(mailoutbox, "alice@other.example")
    assert browser.post(first).status_code == 404
    browser.post(PAGE, {"action_remove": "yes"})
    assert browser.post(second).status_code == 404
    assert address_of(alice) == OLD
    assert recorded() == [
        "address.requested",
        "address.withdrawn",
        "address.requested",
        "address.withdrawn",
    ]
    again = browser.post(PAGE, {"action_remove": "yes"}, follow=True)
    assert "No address waits" in again.content.decode()


def test_a_link_is_good_for_three_days(alice, mailoutbox):
    noon = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
    key = addresses.link_key(ask_for_address(alice, NEW, now=noon))
    with pytest.raises(UnknownLink):
        confirm_address(key, by=alice, now=noon + LINK_LIFE)
    assert address_of(alice) == OLD
    confirm_address(key, by=alice, now=noon + LINK_LIFE - dt.timedelta(seconds=1))
    assert address_of(alice) == NEW


def test_a_link_is_void_once_the_address_was_changed_otherwise(
    browser, alice, mailoutbox
):
    ask(browser)
    User.objects.filter(pk=alice.pk).update(email="alice@admin.example")
    assert browser.post(link_in(mailoutbox)).status_code == 404
    assert "Waits for confirmation" not in browser.get(PAGE).content.decode()
