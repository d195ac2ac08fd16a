"""Answers to what cannot be read, is not there or nobody expected.

Pages get a page; programs (`/api/`) problem+json, whatever went wrong (RFC 9457).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import bad_request, permission_denied

from controls.grammar import size_in_words
from srm_project.once_more import was_broken_off

AWAY = "The database is not reachable. Try again in a moment."
FULL = (
    "The database has no space left. Nothing was stored; tell an administrator, and"
    " try again when there is space."
)
DISK_FULL = "53100"  # SQLSTATE
BROKEN_OFF = (
    "Somebody else was changing the same at this moment. Nothing was saved: send it"
    " again."
)
TOO_LONG = "Without its files, what is sent at once may have at most {}; this has more."
UNEXPECTED = "Something went wrong here. The id of the request is in X-Request-ID."
DJANGO_SAYS = "matches the given query."
NO_ADDRESS = "There is nothing at this address of the API."
MAX_ADDRESS = 6000  # characters, of the 8,190 that the web server reads
ADDRESS_TOO_LONG = f"SRM reads addresses of at most {MAX_ADDRESS:,} characters."
TITLES = {
    400: "Bad request",
    403: "Not permitted",
    404: "Not found",
    408: "Took too long",
    413: "Too large",
    414: "Address too long",
    500: "Unexpected error",
    503: "Try again",
    507: "No space left",
}


def unexpected(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After while the database is away or ours was broken off, 507 while
    its disk is full, else 500.

    Middleware cannot do this: Django turns exceptions into answers below each of it.
    """
    failure = sys.exc_info()[1]
    if not isinstance(failure, OperationalError | InterfaceError):
        return _problem(500, UNEXPECTED) if _api(request) else _broken(request)
    if getattr(failure.__cause__, "sqlstate", None) == DISK_FULL:
        return bare_page(request, 507, FULL)
    lost = was_broken_off(failure)
    answer = bare_page(request, 503, BROKEN_OFF if lost else AWAY)
    answer["Retry-After"] = "1" if lost else "5"
    return answer


def _broken(request: HttpRequest) -> HttpResponse:
    """The page of 500: of its own, since whatever failed may fail again."""
    from srm_project.middleware import request_id

    page = render_to_string("500.html", {"request_id": request_id.get()})
    return HttpResponse(page, status=500)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for a body that is too long."""
    too_long = isinstance(exception, RequestDataTooBig)
    if too_long:
        sentence = _sentence_of_length(exception)
        if _api(request):
            return _problem(413, sentence)
        return render(request, "413.html", {"exception": sentence}, status=413)
    if _api(request):
        return _problem(400, str(exception))
    answer: HttpResponse = bad_request(request, exception)
    return answer


def _sentence_of_length(exception: Exception) -> str:
    """What our own code says of a body that is too long, else how long it may be;
    Django's words name a setting."""
    sentence = str(exception)
    if "settings." not in sentence:
        return sentence
    return TOO_LONG.format(size_in_words(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))


def wrong_method_middleware(
    following: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Gives a page to a person whose request an address does not take (405)."""

    def handle(request: HttpRequest) -> HttpResponse:
        answer = following(request)
        if answer.status_code != 405 or _api(request) or answer.streaming:
            return answer
        page = render(request, "405.html", status=405)
        page["Allow"] = answer.get("Allow", "")
        return page

    return handle


def absent(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    if _api(request):
        return _problem(404, NO_ADDRESS)
    context = {"exception": _sentence_of(exception)}
    return render(request, "404.html", context, status=404)


def _sentence_of(exception: Exception) -> str:
    """What our own code says of a page that is not there; nothing for Django's words,
    which name a class."""
    sentence = exception.args[0] if exception.args else ""
    if not isinstance(sentence, str) or sentence.endswith(DJANGO_SAYS):
        return ""
    return sentence


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    if _api(request):
        return _problem(403, str(exception) or "You may not do this.")
    page: HttpResponse = permission_denied(request, exception)
    return page


def _api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def bare_page(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """The sentence on a page without a menu, which would ask the database; as
    problem+json over the API."""
    if _api(request):
        return _problem(status, sentence)
    page = render_to_string("503.html", {"sentence": sentence})
    return HttpResponse(page, status=status)


def long_address_middleware(
    following: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answers 414 for an address of more than MAX_ADDRESS characters.

    The web server reads more, so that the page is ours; it has no menu, which
    would ask the database.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if len(request.get_full_path()) <= MAX_ADDRESS:
            return following(request)
        if _api(request):
            return _problem(414, ADDRESS_TOO_LONG)
        page = render_to_string("414.html", {"sentence": ADDRESS_TOO_LONG})
        return HttpResponse(page, status=414)

    return handle


def _problem(status: int, detail: str) -> JsonResponse:
    problem = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
    }
    return JsonResponse(problem, status=status, content_type="application/problem+json")
