"""Browsers in which somebody signed in, without the pages for it."""

from __future__ import annotations

import time

from django.test import Client

from controls.models import User


def sign_in_just_now(client: Client, user: User) -> Client:
    """The browser, as if the person had typed address and password this moment."""
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "email": user.email}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client
