"""What visitors send is read in few places at a time, and only for a while.

A thread that waits for the rest of a body answers nobody else. Whoever is signed in, or
names a token, is not a visitor: uploads take the time they take.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from srm_project.errors import bare_page

MAX_PLACES = 3  # bodies of visitors that one process reads at a time
MAX_READ_AHEAD = 64 * 1024  # bytes; a longer body keeps its place until it is answered
TOO_SLOW = "What you sent took too long to arrive. Send it again."
BUSY = "Too many people send something at this moment. Try again in a few seconds."
Handler = Callable[[HttpRequest], HttpResponse]


def visitors_bodies_middleware(following: Handler) -> Handler:
    """Answers 503 where no place is free, 408 where a body does not come in time.

    So some threads of a process are always free for who is signed in, and for probes.
    """
    places = threading.BoundedSemaphore(MAX_PLACES)

    def handle(request: HttpRequest) -> HttpResponse:
        length = _length(request)
        if not length or not _is_visitor(request):
            return following(request)
        if not places.acquire(blocking=False):
            _stop_reading(request)
            answer = bare_page(request, 503, BUSY)
            answer["Retry-After"] = "2"
            return answer
        try:
            with _reading_ends(request):
                if length > MAX_READ_AHEAD:
                    return following(request)
                if len(request.body) < length:
                    return bare_page(request, 408, TOO_SLOW)
        finally:
            places.release()
        return following(request)

    return handle


def _length(request: HttpRequest) -> int:
    """Bytes of the body as announced; without a length nothing is read."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isdigit() else 0


def _is_visitor(request: HttpRequest) -> bool:
    return not request.user.is_authenticated and "Authorization" not in request.headers


@contextmanager
def _reading_ends(request: HttpRequest) -> Iterator[None]:
    """Inside, whoever waits for the body waits for so many seconds in all."""
    timer = threading.Timer(settings.VISITOR_BODY_SECONDS, _stop_reading, [request])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _stop_reading(request: HttpRequest) -> None:
    """End what gunicorn waits for; an answer can still be written."""
    connection: socket.socket | None = request.META.get("gunicorn.socket")
    if connection is not None:
        with suppress(OSError):  # the visitor was faster
            connection.shutdown(socket.SHUT_RD)
