"""What API endpoints that take files share: the same stream into the store as pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request

from controls.errors import Refused, SrmError
from controls.models import User
from evidence.forms.upload_body import (
    StoringUploadHandler,
    refuse_unreadable,
    stream_into_store,
)
from evidence.submissions.submission import Submission
from evidence.submissions.uploads import Upload
from evidence.submissions.waiting_files import MAX_FILES, uploads_of


class DigestMismatch(SrmError):
    """The bytes that came are not the bytes that were announced (UP-02)."""

    status_code = 422


class Streaming:
    """For viewsets: files of a form go to the store while they come."""

    upload_handler: StoringUploadHandler | None = None

    def initialize_request(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Request:
        """Set the handler before anybody reads the body."""
        form = (request.content_type or "").startswith("multipart/")
        # done once more it was read the first time
        if form and not hasattr(request, "_files"):
            self.upload_handler = stream_into_store(request)
        made: Request = super().initialize_request(  # type: ignore[misc]
            request, *args, **kwargs
        )
        return made

    def refuse_unread(self, request: Request) -> None:
        """Raise BlobTooLarge or Refused where the body did not come whole."""
        parsed = bool(request.data)
        if self.upload_handler is not None:
            refuse_unreadable(request._request, self.upload_handler, parsed=parsed)


class FilesSerializer(serializers.Serializer[Any]):
    """Files, and (optional) the sha256 that each should have, in the same order."""

    files = serializers.ListField(
        child=serializers.FileField(), min_length=1, max_length=MAX_FILES
    )
    expected_sha256 = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-f]{64}$"), required=False
    )


def checked_files(form_data: dict[str, Any]) -> list[Upload]:
    """The uploads of a valid FilesSerializer, their content checked.

    Raises DigestMismatch, naming the file, and what content checks raise.
    """
    uploads = uploads_of(form_data["files"])
    expected: Sequence[str] = form_data.get("expected_sha256") or ()
    if expected and len(expected) != len(uploads):
        sentence = "Give one hash for each file, in the order of the files, or none."
        raise Refused({"expected_sha256": sentence})
    for upload, digest in zip(uploads, expected, strict=False):
        if upload.stored.sha256 != digest:
            raise DigestMismatch(
                f"“{upload.name}” has the sha256 {upload.stored.sha256}, not {digest}."
                " Nothing was stored."
            )
    return uploads


def submission_of(body: dict[str, Any]) -> Submission:
    """What a valid upload or revision says of its files.

    A collector whom nobody knows is an account that is not stored: the verb refuses it
    as it refuses those without a role in its system.
    """
    return Submission(
        title=body["title"],
        performed_on=body["performed_on"],
        period_start=body["period_start"],
        period_end=body["period_end"],
        collected_on=body.get("collected_on") or body["performed_on"],
        source_system=body.get("source_system", ""),
        procedure=body.get("procedure", ""),
        completeness=body.get("completeness", ""),
        sensitivity=body.get("sensitivity", "internal"),
        collected_by=_collector(body.get("collected_by")),
        addresses=tuple(body.get("addresses", ())),
        draft=body.get("draft", False),
    )


def _collector(email: str | None) -> User | None:
    if not email:
        return None
    return User.objects.filter(email__iexact=email).first() or User(email=email)
