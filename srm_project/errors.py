"""Pages for what cannot be read, what nobody expected, and a database that is away."""

from __future__ import annotations

import sys

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.defaults import bad_request, server_error

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


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for a body that is too long: a page, for programs problem+json."""
    too_long = isinstance(exception, RequestDataTooBig)
    if request.path_info.startswith("/api/"):
        return _problem(413 if too_long else 400, str(exception))
    if too_long:
        context = {"exception": str(exception)}
        return render(request, "400.html", context, status=413)
    answer: HttpResponse = bad_request(request, exception)
    return answer


def _problem(status: int, detail: str) -> JsonResponse:
    title = "Too large" if status == 413 else "Bad request"
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    return JsonResponse(problem, status=status, content_type="application/problem+json")
