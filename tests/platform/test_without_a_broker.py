"""While the broker is gone people still sign in, and attempts are still limited."""

from __future__ import annotations

import socket

import pytest
from django.core.cache import caches
from django.urls import reverse

from controls.models import User

pytestmark = pytest.mark.django_db
SECRET = "correct-horse-battery-staple"


@pytest.fixture
def no_broker(settings):
    """The cache of an installation whose broker does not answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.CACHES = {
        "default": {
            "BACKEND": "srm_project.cache.SharedOrOwn",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
    yield caches["default"]
    caches["default"].own.clear()


@pytest.fixture
def ann(db) -> User:
    return User.objects.create_user("ann@example.test", SECRET, name="Ann")


def sign_in(client, password: str):
    said = {"login": "ann@example.test", "password": password}
    return client.post(reverse("account_login"), said)


def test_people_sign_in(client, ann, no_broker):
    assert sign_in(client, SECRET).status_code == 302
    assert client.session["_auth_user_id"] == str(ann.pk)


def test_attempts_are_still_limited(client, ann, no_broker):
    answers = [sign_in(client, "wrong").status_code for _ in range(12)]
    assert answers[0] == 200
    assert answers[-1] == 429
    assert sign_in(client, SECRET).status_code == 429


def test_what_was_said_is_kept_in_this_process(no_broker):
    assert no_broker.add("tries", 1, 60)
    assert not no_broker.add("tries", 1, 60)
    assert no_broker.incr("tries") == 2
    no_broker.set_many({"a": 1, "b": 2})
    assert no_broker.get_many(["a", "b"]) == {"a": 1, "b": 2}
    no_broker.delete("tries")
    assert "tries" not in no_broker
