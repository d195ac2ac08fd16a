"""So many requests of a web process may bring files at once, and so many open them.

Whoever sends or reads slowly, or whose store is slow, holds a thread of the web server
for as long as it takes. Pages and probes keep the others: `UPLOADS_AT_ONCE` and
`DOWNLOADS_AT_ONCE` together are fewer than the threads; the rest is told to come back.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from controls.errors import SrmError

Handler = Callable[[HttpRequest], HttpResponse]
HELD = "held_file_places"


class NoFilePlace(SrmError):
    """As many as may do this do so; nothing of this request was done."""

    status_code = 503
    retry_after = 5  # seconds
    sentence: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.sentence)


class NoUploadPlace(NoFilePlace):
    """Too many bring files; nothing of this upload was read."""

    sentence = (
        "Too many files are being uploaded at this moment. Nothing was stored; send"
        " it again in a few seconds."
    )


class NoDownloadPlace(NoFilePlace):
    """Too many open files; the store was not asked for this one."""

    sentence = (
        "Too many files are being opened at this moment. Open it again in a few"
        " seconds."
    )


class _Places:
    """How many of this process are taken, of as many as the setting says."""

    def __init__(self, setting: str, refusal: type[NoFilePlace]) -> None:
        self.setting, self.refusal = setting, refusal
        self.lock, self.taken = threading.Lock(), 0

    def take(self, request: HttpRequest) -> None:
        held: list[_Places] = getattr(request, HELD, [])
        if self in held:
            return
        with self.lock:
            if self.taken >= getattr(settings, self.setting):
                raise self.refusal
            self.taken += 1
        setattr(request, HELD, [*held, self])

    def give_back(self) -> None:
        with self.lock:
            self.taken -= 1


_uploads = _Places("UPLOADS_AT_ONCE", NoUploadPlace)
_downloads = _Places("DOWNLOADS_AT_ONCE", NoDownloadPlace)


def take_upload_place(request: HttpRequest) -> None:
    """Take one until the request is answered; else raise NoUploadPlace at once."""
    _uploads.take(request)


def take_download_place(request: HttpRequest) -> None:
    """Take one until the last byte of the answer is sent, or its reader gone; else
    raise NoDownloadPlace at once."""
    _downloads.take(request)


def file_places_middleware(following: Handler) -> Handler:
    """Gives the places of a request back once it is answered, however it ends."""

    def handle(request: HttpRequest) -> HttpResponse:
        answer: HttpResponse | None = None
        try:
            answer = following(request)
            return answer
        finally:
            for places in getattr(request, HELD, []):
                if answer is not None and answer.streaming:
                    _when_sent(answer, places.give_back)
                else:
                    places.give_back()
            setattr(request, HELD, [])

    return handle


def _when_sent(answer: HttpResponse, give_back: Callable[[], None]) -> None:
    """Call it once: when the server closes the answer, or has lost it unclosed."""
    once = weakref.finalize(answer, give_back)
    once.atexit = False
    answer._resource_closers.append(once)  # type: ignore[attr-defined]
