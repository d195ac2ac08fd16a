"""The body of an upload: read once, straight into the store."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.utils.datastructures import MultiValueDict

from controls.errors import Refused
from controls.grammar import size_in_words
from evidence.storage import BlobTooLarge, Incoming, open_store
from evidence.submissions.bulk_request import MAX_FILES
from evidence.submissions.waiting_files import WaitingFile
from srm_project.file_places import take_upload_place

BROKE_OFF = "The upload broke off. Nothing was stored."


MAX_FIELDS = MAX_FILES + 1  # in one request: a list and what it speaks of


# Files of a request that stay open until they are checked, and made durable meanwhile.
MAX_OPEN = 20
FORM_BYTES = 1_048_576  # room for the other fields and the part headers


class Arrivals:
    """All files of one request, so that one refusal drops every one of them."""

    def __init__(self) -> None:
        self.files: list[Incoming] = []

    def close(self) -> None:
        """Drop all that was not kept. Django calls this when parsing breaks off."""
        for incoming in self.files:
            incoming.close()


class StoringUploadHandler(FileUploadHandler):
    """Writes files into the store; `MAX_UPLOAD_BYTES` holds for a whole request.

    `too_large` is set when the limit stopped the upload: answer 413; `too_many` when
    the number of files did.
    """

    chunk_size = 1 << 19  # bytes: fewer, larger steps than Django's

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.limit: int = settings.MAX_UPLOAD_BYTES
        self.left = self.limit
        self.too_large = self.too_many = False
        # Django closes `handler.file` when the client goes away or parsing fails.
        self.file = Arrivals()

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict[str, UploadedFile]] | None:
        """Refuse by the announced length without reading, where that is enough.

        Raises StoreFull where the disk has no room for it (RE-07), NoUploadPlace while
        too many others bring files.
        """
        if self.request is not None:
            take_upload_place(self.request)
        if content_length > self.limit + FORM_BYTES:
            self.too_large = True
            return QueryDict(), MultiValueDict()
        open_store().require_room(content_length)
        return None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin one more file; beyond MAX_FIELDS the upload stops."""
        super().new_file(*args, **kwargs)
        if len(self.file.files) == MAX_FIELDS:
            self.too_many = True
            raise StopUpload(connection_reset=True)
        self.file.files.append(open_store().begin(limit=self.left))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write and hash; the chunk is not passed on to other handlers."""
        try:
            self.file.files[-1].write(raw_data)
        except BlobTooLarge as refusal:
            self.too_large = True
            raise StopUpload(connection_reset=True) from refusal
        self.left -= len(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """The file as forms see it."""
        incoming = self.file.files[-1]
        if len(self.file.files) > MAX_OPEN:
            incoming.make_durable()
        return WaitingFile(self.file_name or "", incoming)

    def upload_interrupted(self) -> None:
        """The body ended early: drop everything."""
        self.file.close()


def stream_into_store(request: HttpRequest) -> StoringUploadHandler:
    """Let the files of this request go to the store. Call before reading POST."""
    handler = StoringUploadHandler(request)
    request.upload_handlers = [handler]
    return handler


def was_cut_off(request: HttpRequest) -> bool:
    """Whether fewer bytes came than the client announced.

    Django takes a truncated last part for a whole file, so its length decides.
    """
    stream = request._stream  # type: ignore[attr-defined]
    limit = getattr(stream, "limit", 0)
    return getattr(stream, "_pos", limit) < limit


def read_into_store(request: HttpRequest) -> None:
    """Let the body of a form go to the store. Raises as `refuse_unreadable`."""
    if hasattr(request, "_files"):  # done once more: it was read the first time
        return
    handler = stream_into_store(request)
    try:
        parsed = bool(request.POST)
    except UnreadablePostError:
        raise Refused(BROKE_OFF) from None
    refuse_unreadable(request, handler, parsed=parsed)


def refuse_unreadable(
    request: HttpRequest, handler: StoringUploadHandler, *, parsed: bool
) -> None:
    """Raise BlobTooLarge (413) over the limit, Refused where the body ended early."""
    if handler.too_large:
        limit = size_in_words(handler.limit)
        raise BlobTooLarge(f"More than {limit} in one upload. Nothing was stored.")
    if handler.too_many:
        raise BlobTooLarge(
            f"More than {MAX_FIELDS} files at a time: nothing was stored."
            f" Send at most {MAX_FIELDS - 1} and their list, then the next ones."
        )
    if parsed and was_cut_off(request):
        raise Refused(BROKE_OFF)
