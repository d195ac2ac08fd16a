"""Signing in and out, headers, health, and what a visitor is refused."""

from __future__ import annotations

import datetime as dt
import time

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import AuditEvent, User
from srm_project import accounts, health

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def without_earlier_attempts():
    """Attempts of other tests do not count."""
    cache.clear()


@pytest.fixture
def known(alice):
    """Alice, whose password is known."""
    alice.set_password(PASSWORD)
    alice.save()
    return alice


def sign_in(client, user, password=PASSWORD):
    url = reverse("account_login")
    return client.post(url, {"login": user.email, "password": password})


def test_signing_in_and_out(client, known, settings):
    """AZ-06: out is out, and the browser keeps no page of what was read."""
    settings.MFA_REQUIRED = False
    assert sign_in(client, known).status_code == 302
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    kept = cookie.value
    assert "Clear-Site-Data" not in client.get(reverse("account_logout"))
    left = client.post(reverse("account_logout"))
    assert left["Clear-Site-Data"] == '"cache", "storage"'

    client.cookies[settings.SESSION_COOKIE_NAME] = kept
    answer = client.get(reverse("evidence:systems"))
    assert answer.url.startswith(reverse("account_login"))
    verbs = list(AuditEvent.objects.order_by("seq").values_list("verb", flat=True))
    assert [verb for verb in verbs if verb.startswith("session.")] == [
        "session.started",
        "session.ended",
    ]


def test_a_wrong_password_is_recorded_without_it(client, known):
    assert sign_in(client, known, "not the password").status_code == 200
    event = AuditEvent.objects.filter(verb="session.refused").get()
    assert event.subject_label == known.email
    assert "not the password" not in event.body


def test_many_wrong_passwords_are_refused(client, known):
    """AZ-01."""
    for attempt in range(6):
        sign_in(client, known, f"wrong {attempt}")

    answer = sign_in(client, known)

    assert answer.status_code == 429
    assert "Too many" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_what_the_browser_refused_is_logged_and_cut(client, caplog):
    said = '{"csp-report": {"blocked-uri": "https://evil.example"}}' + "x" * 9000
    answer = client.post("/csp-report/", said, content_type="application/csp-report")
    assert answer.status_code == 204
    (record,) = [each for each in caplog.records if each.name == "srm.csp"]
    assert "https://evil.example" in record.getMessage()
    assert len(record.getMessage()) < 4200


def test_the_icon_is_found_where_browsers_ask(client):
    assert client.get("/favicon.ico").url == "/static/srm/favicon.svg"


def test_a_stranger_and_a_wrong_password_read_the_same(client, known):
    """AZ-03."""
    wrong = sign_in(client, known, "wrong").context["form"].errors
    known.email = "nobody@example.org"
    assert sign_in(client, known, "wrong").context["form"].errors == wrong


def test_a_session_ends_after_its_longest_time(client, known, settings, monkeypatch):
    settings.MFA_REQUIRED = False
    sign_in(client, known)
    assert client.get(reverse("evidence:systems")).status_code == 200
    now = time.time()
    later = now + accounts.MAX_SESSION_SECONDS + 1
    monkeypatch.setattr(accounts.time, "time", lambda: later)
    answer = client.get(reverse("evidence:systems"))
    assert answer.url.startswith(reverse("account_login"))


def test_nobody_signs_up_by_themselves(client):
    given = {"email": "eve@example.org", "password1": PASSWORD}
    answer = client.post(reverse("account_signup"), given)
    assert "_auth_user_id" not in client.session
    assert "Accounts come by invitation" in answer.content.decode()
    assert not User.objects.filter(email="eve@example.org").exists()


def test_without_a_second_factor_there_is_only_the_page_to_add_one(
    client, known, settings
):
    """AZ-02."""
    settings.MFA_REQUIRED = True
    sign_in(client, known)
    answer = client.get(reverse("evidence:systems"))
    assert answer.url == reverse("mfa_index")
    assert client.get(answer.url).status_code == 200


def test_the_admin_has_no_door_of_its_own(client):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("account_login"))


@pytest.mark.parametrize("path", ["/admin/", "/admin/controls/user/", "/admin/login/"])
def test_the_admin_says_that_it_is_not_for_others(as_user, alice, path):
    """AC-01: a bookmark leads nobody round in a circle."""
    answer = as_user(alice).get(path, follow=True)
    assert answer.status_code == 403
    assert "is for operators" in answer.content.decode()


def test_signing_in_leads_operators_back_into_the_admin(client, known, settings):
    settings.MFA_REQUIRED = False
    known.is_staff = True
    known.save()
    form = {"login": known.email, "password": PASSWORD, "next": "/admin/"}
    answer = client.post(reverse("account_login"), form, follow=True)
    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, "/admin/")


HEADERS = {
    "Content-Security-Policy": {
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "report-uri /csp-report/",
    },
    "X-Content-Type-Options": {"nosniff"},
    "X-Frame-Options": {"DENY"},
    "Referrer-Policy": {"same-origin"},
    "Cross-Origin-Opener-Policy": {"same-origin"},
    "Cross-Origin-Resource-Policy": {"same-origin"},
    "Permissions-Policy": {"camera=(), geolocation=(), microphone=()"},
}


def test_a_static_file_is_taken_for_what_it_says(client):
    answer = client.get("/static/srm/srm.css")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    answer.close()


@pytest.mark.parametrize("path", ["/accounts/login/", "/livez", "/no-such-page/"])
def test_every_answer_carries_the_headers(client, path):
    """AZ-09 and AZ-10."""
    answer = client.get(path)
    for name, wanted in HEADERS.items():
        given = {part.strip() for part in answer.headers.get(name, "").split(";")}
        assert given - {""} == wanted, name
    assert answer["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "host"), [("/accounts/login/", "evil.example"), ("/%00/", "localhost")]
)
def test_az_10_what_cannot_be_read_carries_them_too(client, path, host):
    client.raise_request_exception = False
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 400
    for name, wanted in HEADERS.items():
        given = {part.strip() for part in answer.headers.get(name, "").split(";")}
        assert given - {""} == wanted, name


def test_a_signed_in_page_is_not_kept_by_caches(client, known, settings):
    settings.MFA_REQUIRED = False
    sign_in(client, known)
    kept = client.get(reverse("evidence:systems"))["Cache-Control"]
    assert kept == "private, no-store"


def test_a_post_without_its_token_is_refused(known):
    """AZ-08."""
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    assert sign_in(strict, known).status_code == 403


def test_alive_and_ready(client):
    """RE-17."""
    assert client.get("/livez").status_code == 200
    body = client.get("/readyz").json()
    assert body == {
        "database": True,
        "evidence_store": True,
        "broker": True,
        "export_folder": True,
        "ready": True,
        "audit_log_protected_by": "triggers and roles",
        "audit_log": "not checked yet",
        "files_are_read": body["files_are_read"],  # as the kernel lets us
        "clock_ahead_seconds": 0,
    }


def test_not_ready_without_the_store(client, monkeypatch):
    monkeypatch.setattr(health, "_store", lambda: False)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"


def test_pages_still_count_as_ready_without_the_broker(client, settings):
    settings.BROKER_URL = "redis://localhost:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["broker"] is False


def fail(error):
    """A check of the store that fails by `error`."""

    def check():
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "status"), [(OperationalError("away"), 503), (ValueError("odd"), 500)]
)
def test_what_breaks_says_whether_to_try_again(client, monkeypatch, error, status):
    """RE-06."""
    monkeypatch.setattr(health, "_store", fail(error))
    client.raise_request_exception = False
    answer = client.get("/readyz")
    assert answer.status_code == status
    assert answer.has_header("Retry-After") is (status == 503)
    assert answer["X-Request-ID"]


def test_az_06_idle_ends_a_session_and_reading_renews_it(as_user, oscar) -> None:
    start = dt.datetime(2026, 11, 2, 9, 0, tzinfo=dt.UTC)
    with time_machine.travel(start, tick=False) as clock:
        browser = as_user(oscar)
        for _ in range(3):
            clock.shift(dt.timedelta(minutes=29))
            assert browser.get("/systems/").status_code == 200
        clock.shift(dt.timedelta(minutes=31))
        assert browser.get("/systems/").status_code == 302


def test_az_06_a_session_in_use_is_written_once_a_minute(as_user, oscar) -> None:
    browser = as_user(oscar)
    with CaptureQueriesContext(connection) as queries:
        browser.get("/systems/")
    assert not [q for q in queries if q["sql"].startswith("UPDATE")]
