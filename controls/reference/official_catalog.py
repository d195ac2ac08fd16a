"""The catalog file as NIST publishes it, fetched and held against a pinned digest."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings

from controls.errors import Refused
from controls.oscal.texts import require_size

MAX_SECONDS = 40  # in all; each wait for bytes a quarter of it
CHUNK = 256 * 1024
BY_HAND = "Fetch the file by hand and import it from its path."


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address leads to the file itself, or it is not the one that was set."""

    def redirect_request(self, *args: Any) -> None:
        """None: the answer is an error of its own."""
        return


def fetch_official() -> BinaryIO:
    """The published file, open at its beginning; the caller closes it.

    Raises Refused where the address does not answer, or with other bytes than those
    that this version of SRM was made for.
    """
    address = settings.CONTROL_TEXT_ADDRESS
    if not address.startswith(("https://", "http://")):
        raise Refused(f"CONTROL_TEXT_ADDRESS is no web address. {BY_HAND}")
    file = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        digest = _download(address, file)
        if digest != settings.CONTROL_TEXT_SHA256:
            raise Refused(
                f"{address} holds another file than the one this version of SRM was"
                f" made for (SHA-256 {digest[:12]}…, expected"
                f" {settings.CONTROL_TEXT_SHA256[:12]}…). Nothing was imported. Look"
                " into it; where you trust it, import it from its path.",
                code="other_digest",
            )
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _download(address: str, into: BinaryIO) -> str:
    """Store what an address answers; its SHA-256. Raises Refused."""
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(address, timeout=MAX_SECONDS / 4) as answer:
            return _copy(answer, into)
    except urllib.error.HTTPError as fault:
        fault.close()
        raise Refused(
            f"{address} answers {fault.code}. {BY_HAND}", code="no_answer"
        ) from fault
    except (OSError, http.client.HTTPException) as fault:
        raise Refused(
            f"{address} cannot be reached. {BY_HAND}", code="no_answer"
        ) from fault


def _copy(answer: Any, into: BinaryIO) -> str:
    until, size, digest = time.monotonic() + MAX_SECONDS, 0, hashlib.sha256()
    while chunk := answer.read1(CHUNK):
        size += len(chunk)
        require_size(size)
        if time.monotonic() > until:
            raise TimeoutError("too slow")
        digest.update(chunk)
        into.write(chunk)
    return digest.hexdigest()
