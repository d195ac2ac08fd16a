"""What of a request is read at all: no long bodies, no characters no text has."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse

from srm_project.public_views import MAX_REPORTS_A_MINUTE
from srm_project.request_limits import MAX_FORM_BYTES

pytestmark = pytest.mark.django_db
LONG = b"a" * (MAX_FORM_BYTES + 1)


class Unread:
    """A body that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("The body was read.")


def test_up_01_a_stranger_cannot_fill_the_disk_through_a_form() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.get(reverse("account_login"))
    long = SimpleUploadedFile("a.bin", LONG)
    answer = browser.post(reverse("account_login"), {"login": "x", "file": long})
    assert answer.status_code == 413
    assert "longer than" in answer.content.decode()


def test_up_01_a_long_form_is_refused_by_its_announced_length() -> None:
    request = RequestFactory().post(
        "/accounts/login/", b"x", content_type="multipart/form-data; boundary=x"
    )
    request.META["CONTENT_LENGTH"] = str(2 << 30)
    request._stream = Unread()
    with pytest.raises(RequestDataTooBig):
        assert request.POST


def test_the_api_refuses_a_long_form_as_a_problem(as_user, oscar) -> None:
    url = reverse("request-list")
    long = SimpleUploadedFile("a.csv", LONG)
    answer = as_user(oscar).post(url, {"file": long})
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/systems/a%00b/",
        "/systems/payments/controls/%00/",
        "/api/v1/systems/%00/",
        "/api/v1/requests/?system=%00",
    ],
)
def test_in_06_a_nul_in_an_address_is_a_bad_request(as_user, oscar, path) -> None:
    browser = as_user(oscar)
    browser.raise_request_exception = False
    assert browser.get(path).status_code == 400


def test_a_day_beyond_the_calendar_is_no_error(as_user, oscar, system) -> None:
    asked = "?on=0001-01-01&known_at=9999-12-31"
    assert as_user(oscar).get(f"/systems/{system.slug}/{asked}").status_code == 200


@pytest.mark.parametrize("name", ["livez", "readyz"])
def test_health_is_only_read(client, name: str) -> None:
    assert client.post(f"/{name}").status_code == 405


def test_az_09_reports_of_browsers_do_not_fill_the_log(client, caplog) -> None:
    cache.clear()
    for _ in range(MAX_REPORTS_A_MINUTE * 2 + 5):  # a minute may turn meanwhile
        assert client.post("/csp-report/", "{}", content_type="x/y").status_code == 204
    said = [each for each in caplog.records if each.name == "srm.csp"]
    assert MAX_REPORTS_A_MINUTE <= len(said) <= MAX_REPORTS_A_MINUTE * 2
