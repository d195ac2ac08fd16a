"""A page that only reads asks once what a person may."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from controls.models.held_roles import roles_read_once

READING = frozenset({"GET", "HEAD"})


def roles_of_a_page_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Whatever may change something asks the database each time."""

    def handle(request: HttpRequest) -> HttpResponse:
        if request.method not in READING:
            return get_response(request)
        with roles_read_once():
            return get_response(request)

    return handle
