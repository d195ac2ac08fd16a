"""So many requests of a web process may bring files at once; the rest comes back.

Whoever sends slowly, or whose store is slow, holds a thread of the web server for as
long as it takes. Pages and probes keep the others (`UPLOADS_AT_ONCE`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from controls.errors import SrmError

Handler = Callable[[HttpRequest], HttpResponse]
HELD = "holds_upload_place"


class NoUploadPlace(SrmError):
    """As many as may bring files do so; nothing of this upload was read."""

    status_code = 503
    retry_after = 5  # seconds

    def __init__(self) -> None:
        super().__init__(
            "Too many files are being uploaded at this moment. Nothing was stored; send"
            " it again in a few seconds."
        )


class _Places:
    """How many of this process are taken."""

    def __init__(self) -> None:
        self.lock, self.taken = threading.Lock(), 0

    def take(self) -> bool:
        with self.lock:
            if self.taken >= settings.UPLOADS_AT_ONCE:
                return False
            self.taken += 1
            return True

    def give_back(self) -> None:
        with self.lock:
            self.taken -= 1


_places = _Places()


def take_upload_place(request: HttpRequest) -> None:
    """Take one until the request is answered; else raise NoUploadPlace at once."""
    if getattr(request, HELD, False):
        return
    if not _places.take():
        raise NoUploadPlace
    setattr(request, HELD, True)


def upload_places_middleware(following: Handler) -> Handler:
    """Gives the place of a request back once it is answered, however it ends."""

    def handle(request: HttpRequest) -> HttpResponse:
        try:
            return following(request)
        finally:
            if getattr(request, HELD, False):
                setattr(request, HELD, False)
                _places.give_back()

    return handle
