"""Uploaded files stream straight into the evidence store, hashed as they come.

Nothing of a request that is refused, cut off or never submitted stays: files wait
under a temporary name until `submit` keeps them, and are dropped when the
request is closed.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.files.uploadedfile import UploadedFile

from evidence.storage import Incoming
from evidence.submissions.uploads import Upload, checked_upload

MAX_FILES = 20  # in one piece of evidence


class WaitingFile(UploadedFile):
    """A file of a form whose bytes are sealed in the store, not kept yet."""

    def __init__(self, name: str, incoming: Incoming) -> None:
        self.incoming, self.stored = incoming, incoming.seal()
        super().__init__(file=None, name=name, size=self.stored.size_bytes)
        self._upload: Upload | None = None

    def as_upload(self) -> Upload:
        """What `submit` takes, its content checked the first time that it is asked for.

        Raises Refused naming the file.
        """
        if self._upload is None:
            self._upload = checked_upload(self.name or "", self.incoming)
        return self._upload

    def close(self) -> None:
        """Called when the request ends: drop the bytes unless they were kept."""
        self.incoming.close()


def uploads_of(files: Iterable[WaitingFile]) -> list[Upload]:
    """What `submit` takes, in the order of the form."""
    return [file.as_upload() for file in files]
