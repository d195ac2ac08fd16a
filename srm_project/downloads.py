"""The only way in which bytes leave: attached, never run."""

from __future__ import annotations

from typing import BinaryIO, Protocol, TypeVar

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

ResponseT = TypeVar("ResponseT", bound=HttpResponseBase)


class Download(Protocol):
    """Bytes with all that their answer says of them; `size_bytes` None: not known."""

    body: BinaryIO
    name: str
    media_type: str
    size_bytes: int | None


def attachment(download: Download) -> FileResponse:
    """The bytes as an attachment that no browser runs."""
    response = FileResponse(
        download.body,
        as_attachment=True,
        filename=download.name,
        content_type=download.media_type,
    )
    if download.size_bytes is not None:
        response["Content-Length"] = str(download.size_bytes)
    return add_download_headers(response)


def add_download_headers(response: ResponseT) -> ResponseT:
    """Nothing of the answer runs, is guessed at, kept or used by other sites."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_store=True)
    return response
