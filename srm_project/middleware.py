"""Around every request: an id for the log, headers, an end, MFA, read-only."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from srm_project.accounts import outlived

Handler = Callable[[HttpRequest], HttpResponse]
request_id: ContextVar[str] = ContextVar("request_id", default="-")
GIVEN_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")
RENEW_AFTER = 60  # seconds
log = logging.getLogger("srm.request")

HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def with_request_id(following: Handler) -> Handler:
    """Gives each request an id, sends it back and logs the answer once."""

    def handle(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if GIVEN_ID.match(given) else uuid.uuid4().hex
        token = request_id.set(name)
        try:
            response = following(request)
            log.info("%s %s %s", request.method, request.path, response.status_code)
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = name
        for header, value in HEADERS.items():
            response.setdefault(header, value)
        if request.user.is_authenticated if hasattr(request, "user") else False:
            response.setdefault("Cache-Control", "private, no-store")
        return response

    return handle


def with_an_end(following: Handler) -> Handler:
    """Signs out whoever signed in longer ago than a session may last.

    A session in use is renewed once a minute, so that reading writes rarely.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if outlived(request):
                logout(request)
            elif time.time() - request.session.get("renewed", 0) > RENEW_AFTER:
                request.session["renewed"] = int(time.time())
        return following(request)

    return handle


def with_second_factor(following: Handler) -> Handler:
    """Where MFA is required, a person without one sees only the page to set it up."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not settings.MFA_REQUIRED or not request.user.is_authenticated:
            return following(request)
        if request.path.startswith(("/accounts/", "/static/", "/livez", "/readyz")):
            return following(request)
        if is_mfa_enabled(request.user):
            return following(request)
        return redirect(reverse("mfa_index"))

    return handle


def read_only_for_auditors(following: Handler) -> Handler:
    """An auditor's GET runs, rendering included, in a transaction that cannot write."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"} or not _only_auditor(request):
            return following(request)
        if request.path.startswith(("/accounts/", "/files/")) or "/download/" in (
            request.path
        ):
            return following(request)
        _record_reading(request)
        request.reads_only = True  # type: ignore[attr-defined]
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            response = following(request)
            render = getattr(response, "render", None)
            if render is not None and not getattr(response, "is_rendered", True):
                response = render()
        return response

    return handle


def _only_auditor(request: HttpRequest) -> bool:
    """Whether every role the user holds now is an auditor's."""
    user = request.user
    if not user.is_authenticated or user.is_superuser:
        return False
    roles = set(user.memberships.active().values_list("role", flat=True))
    return roles == {"auditor"}


def _record_reading(request: HttpRequest) -> None:
    """An auditor's reading is an event of its own, committed before the page."""
    from controls.models import AuditEvent
    from controls.models.audit import Event

    AuditEvent.objects.append(
        Event("auditor.read", actor=request.user, body={"path": request.path})
    )
