"""What of a request is read at all: small bodies, unless a view takes uploads itself.

The check of the CSRF token reads a form before anybody knows who sent it, so the limit
holds for everybody. `evidence.submissions.waiting_files` sets a handler of its own
where files are due.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

MAX_FORM_BYTES = (
    6 * 1024 * 1024
)  # a provider's document of 5 MB and the fields around it


class SmallFormsOnly(FileUploadHandler):
    """Refuses a long form by its announced length, before a byte of it is kept.

    Without a length Django reads nothing, so no form gets around this (UP-01).
    """

    max_form_bytes = MAX_FORM_BYTES

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Raise RequestDataTooBig, which is answered 413."""
        if content_length > self.max_form_bytes:
            raise RequestDataTooBig("This form is longer than what is taken here.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass on to the handlers after this one."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Left to the handlers after this one."""


def refuse_nul(request: HttpRequest) -> None:
    """Raise SuspiciousOperation (400) for what no text of the database can hold.

    In an address nothing may hold it; queries of pages are read by forms, which say
    so themselves.
    """
    query = request.META.get("QUERY_STRING", "")
    api = request.path_info.startswith("/api/")
    if "\0" in request.path_info or (api and ("%00" in query or "\0" in query)):
        raise SuspiciousOperation("The address holds a character that no text has.")
