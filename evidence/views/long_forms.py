"""Forms that bring one file which is longer than forms are, and is not kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from controls.errors import SrmError
from evidence.views.answers import refused
from srm_project.file_places import take_upload_place
from srm_project.request_limits import SmallFormsOnly
from srm_project.requests import SignedInRequest

AROUND = 100_000  # bytes of the other fields and of what lies between them
View = Callable[..., HttpResponse]


def long_form(limit: int) -> Callable[[View], View]:
    """For views whose form brings a file of up to `limit` bytes: it waits on the disk
    of the server, and takes a place among uploads."""

    class LongFormsOnly(SmallFormsOnly):
        """Forms of up to this length."""

        max_form_bytes = limit + AROUND

    def decorated(view: View) -> View:
        checked = csrf_protect(view)

        @csrf_exempt  # checked inside: the handler must be set before the body is read
        @wraps(view)
        def handle(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST":
                try:
                    take_upload_place(request)
                except SrmError as refusal:
                    return refused(request, refusal)
                request.upload_handlers = [
                    LongFormsOnly(request),
                    TemporaryFileUploadHandler(request),
                ]
            answer: HttpResponse = checked(request, *args, **kwargs)
            return answer

        return handle

    return decorated
