"""The page for what nobody expected, and the one for a database that is away."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

AWAY = "The database is not reachable. Try again in a moment.\n"


def unexpected(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After while the database is away, else the page of a 500.

    Middleware cannot do this: Django turns exceptions into answers below each of it.
    """
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    answer = HttpResponse(AWAY, status=503, content_type="text/plain")
    answer["Retry-After"] = "5"
    return answer
