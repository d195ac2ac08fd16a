"""What people and programs are refused is on record (AU-01)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

REFUSALS = frozenset({401, 403, 404})
FOLDED_FOR = 3600  # seconds: one event of a person and route in each hour
MAX_PATH = 200  # characters of an address that are recorded
# Ends of these addresses are secrets of mails: only the name of the route is recorded.
WITH_SECRETS = "/accounts/"
log = logging.getLogger("srm.refusals")
Handler = Callable[[HttpRequest], HttpResponse]


def record_refusals_middleware(following: Handler) -> Handler:
    """Records the first refusal of each person, route and hour.

    Refused is what a role does not allow (403), what is not there for the person (404
    at an address of ours), and a token that is wrong or too narrow. A token that names
    nobody is folded by route and hour alone, so that guessing fills no log.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        response = following(request)
        if response.status_code in REFUSALS and request.resolver_match:
            _record(request, response.status_code)
        return response

    return handle


def _record(request: HttpRequest, status: int) -> None:
    from controls.models import AuditEvent
    from controls.models.audit import Event

    # The REST framework puts the owner of a token, and the token, on the request.
    person = request.user if request.user.is_authenticated else None
    if person is None and "Authorization" not in request.headers:
        return  # a visitor is led to the sign-in; that is no refusal
    route = request.resolver_match.view_name if request.resolver_match else ""
    hour = int(time.time()) // FOLDED_FOR
    key = f"refused:{person.pk if person else 'token'}:{route}:{hour}"
    if not cache.add(key, 1, FOLDED_FOR):
        return
    event = Event(
        "access.refused" if person else "token.refused",
        actor=person,
        subject_label=route[:300],
        body=_details(request, status),
    )
    try:
        AuditEvent.objects.append(event)
    except DatabaseError as failure:
        log.warning("A refusal is not on record: %s", failure)


def _details(request: HttpRequest, status: int) -> dict[str, Any]:
    details: dict[str, Any] = {"method": request.method, "status": status}
    if not request.path.startswith(WITH_SECRETS):
        details["path"] = request.path[:MAX_PATH]
    scope = getattr(getattr(request, "auth", None), "srm_scope", None)
    if scope is not None:
        details |= {"token": scope.name, "scope": scope.scope}
    return details
