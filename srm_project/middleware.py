"""Around every request: an id for the log, headers, an end, MFA, read-only."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework.exceptions import AuthenticationFailed

from srm_project.accounts import exceeds_lifetime
from srm_project.auditors import reads_as_auditor
from srm_project.request_limits import refuse_nul
from srm_project.sign_on import second_factor_elsewhere
from srm_project.tokens import OwnersToken

Handler = Callable[[HttpRequest], HttpResponse]
request_id: ContextVar[str] = ContextVar("request_id", default="-")
# What follows these is a secret.
SECRETS = ("/accounts/calendar/", "/accounts/invitations/")
CLIENT_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")
PROBES = frozenset({"/livez", "/readyz"})
RENEW_AFTER = 60  # seconds
# Where a person goes who still has to set up the second factor that is required: its
# pages, what they ask for first, and the way out.
WITHOUT_SECOND_FACTOR = (
    "/accounts/2fa/",
    "/accounts/reauthenticate/",
    "/accounts/login/",
    "/accounts/logout/",
    "/static/",
    "/livez",
    "/readyz",
)
# An engagement's pages and routes, with its id.
OF_AUDIT = re.compile(
    r"^/(?:audits|api/v1/engagements)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/"
)
# Addresses under which reading writes its own record, or a session.
RECORDS = re.compile(
    r"^/accounts/|^/files/[^/]+/|^/exports/[^/]+/download/$"
    r"|^/api/v1/files/[^/]+/content/$|^/api/v1/exports/[^/]+/file/$"
    r"|^/artifacts/files/[^/]+/(?:view|page|download)/$"
    r"|^/api/v1/report-files/[^/]+/content/$"
)
log = logging.getLogger("srm.request")

HEADERS = {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def probe_middleware(following: Handler) -> Handler:
    """Lets probes name the machine by its address: theirs is no host that we serve."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES:
            request.META["HTTP_HOST"] = settings.ALLOWED_HOSTS[0].lstrip(".")
        return following(request)

    return handle


def _logged_path(request: HttpRequest) -> str:
    """The address as logs tell it: without the secret of a feed or an invitation."""
    before = next((way for way in SECRETS if request.path.startswith(way)), "")
    return f"{before}..." if before else request.path


def request_id_middleware(following: Handler) -> Handler:
    """Gives each request an id, sends it back and logs the answer once."""

    def handle(request: HttpRequest) -> HttpResponse:
        client_id = request.headers.get("X-Request-ID", "")
        name = client_id if CLIENT_ID.match(client_id) else uuid.uuid4().hex
        token = request_id.set(name)
        try:
            response = following(request)
            log.info(
                "%s %s %s", request.method, _logged_path(request), response.status_code
            )
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = name
        for header, value in HEADERS.items():
            response.setdefault(header, value)
        if request.user.is_authenticated if hasattr(request, "user") else False:
            response.setdefault("Cache-Control", "private, no-store")
        return response

    return handle


def readable_address_middleware(following: Handler) -> Handler:
    """Refuses an address with a NUL, which PostgreSQL would refuse by an error."""

    def handle(request: HttpRequest) -> HttpResponse:
        refuse_nul(request)
        return following(request)

    return handle


def session_lifetime_middleware(following: Handler) -> Handler:
    """Signs out whoever signed in longer ago than a session may last.

    A session in use is renewed once a minute, so that reading writes rarely.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if exceeds_lifetime(request):
                logout(request)
            elif time.time() - request.session.get("renewed", 0) > RENEW_AFTER:
                request.session["renewed"] = int(time.time())
        return following(request)

    return handle


def second_factor_middleware(following: Handler) -> Handler:
    """Where MFA is required, a person without one sees only the page to set it up."""

    def handle(request: HttpRequest) -> HttpResponse:
        if not settings.MFA_REQUIRED or not request.user.is_authenticated:
            return following(request)
        if request.path.startswith(WITHOUT_SECOND_FACTOR):
            return following(request)
        if is_mfa_enabled(request.user) or second_factor_elsewhere(request):
            return following(request)
        return redirect(reverse("mfa_index"))

    return handle


def auditor_read_only_middleware(following: Handler) -> Handler:
    """An auditor's GET runs, rendering included, in a transaction that cannot write.

    By session or by token alike, and by the role that opens the door (AC-06): who is
    auditor here and contributor there is an auditor here. Opening a file records
    itself.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"} or RECORDS.match(request.path):
            return following(request)
        reader = _reader(request)
        if reader is None or not reads_as_auditor(request, reader):
            return following(request)
        _record_reading(request, reader)
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


def _reader(request: HttpRequest) -> Any:
    """Who asks: by session, or by the token that the API will look at again."""
    if request.user.is_authenticated:
        return request.user
    if "Authorization" not in request.headers:
        return None
    try:
        authenticated = OwnersToken().authenticate(request)
    except AuthenticationFailed:
        return None
    return authenticated[0] if authenticated else None


def _record_reading(request: HttpRequest, reader: Any) -> None:
    """An auditor's reading is an event of its own, committed before the page.

    That of an engagement's page is about the engagement: it tells when the person was
    there last.
    """
    from controls.models import AuditEvent
    from controls.models.audit import Event

    audit = OF_AUDIT.match(request.path_info)
    event = Event("auditor.read", actor=reader, body={"path": request.path})
    if audit:
        event = replace(
            event, subject_type="controls.engagement", subject_uuid=uuid.UUID(audit[1])
        )
    AuditEvent.objects.append(event)
