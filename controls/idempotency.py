"""The same request again makes nothing more: the one mechanism for it.

A request that makes something may bear a key: the header `Idempotency-Key` of the API,
the token of a form, the token of a preview. The first one with a key has its effect;
the same again gets the same answer; another request under the key is refused. Two at
once have one effect, since the second waits for the first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import OperationalError, connection, transaction
from django.utils.datastructures import MultiValueDict

from controls.errors import Refused, SrmError
from controls.models import Actor
from controls.models.idempotency import MAX_KEY, IdempotencyKey

KEPT = dt.timedelta(days=30)  # from the first request on
MAX_WAIT = 10  # seconds for a request under the same key that is not finished
LOCK_NOT_AVAILABLE = "55P03"


class KeyReused(SrmError):
    """The key was used for another request."""

    status_code = 422

    def __init__(self, first: IdempotencyKey, sentence: str) -> None:
        self.first = first
        super().__init__(sentence)


class KeyInUse(SrmError):
    """A request under the same key is not finished yet."""

    status_code = 409
    retry_after = MAX_WAIT

    def __init__(self) -> None:
        super().__init__("The same request is being worked on. Send it again later.")


OF_A_KEY = (
    "This key was used for another request. Send that one again as it was, or take a"
    " new key."
)
OF_A_PREVIEW = (
    "This preview was confirmed before, with other lines chosen: nothing was changed"
    " now. For more of it, send the list again."
)


@dataclass(frozen=True)
class KeyedRequest:
    """Who asks, under which key, for what (`route`), with what (`digest`).

    `used` is what to say where the key was used for another request.
    """

    user: Actor
    key: str
    route: str
    digest: str
    used: str = OF_A_KEY

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= MAX_KEY:
            raise Refused(f"A key has 1 to {MAX_KEY} characters.")
        if not (self.key.isascii() and self.key.isprintable()):
            raise Refused("A key is of printable ASCII characters.")

    @classmethod
    def of_preview(
        cls, user: Actor, verb: str, token: str, *, chosen: Any = None
    ) -> KeyedRequest:
        """The confirmation of a preview, whichever door it comes through.

        `chosen` is what a person chose of it (JSON): other lines of the same preview
        are another request.
        """
        key = hashlib.sha256(token.encode()).hexdigest()
        digest = key if chosen is None else digest_of([key, chosen])
        return cls(user, key, verb, digest, OF_A_PREVIEW)


def was_confirmed(user: Actor, token: str) -> bool:
    """Whether this person has confirmed the preview of this token before."""
    return was_used(user, KeyedRequest.of_preview(user, "", token).key)


def was_used(user: Actor, key: str) -> bool:
    """Whether a request under this key was answered before."""
    return IdempotencyKey.objects.filter(user=user.pk, key=key).exists()


def same_before(request: KeyedRequest, *, since: dt.datetime) -> IdempotencyKey | None:
    """The newest answered request of the same person for the same with the same, under
    another key, made at or after an instant."""
    rows = IdempotencyKey.objects.filter(
        user=request.user.pk,
        route=request.route,
        digest=request.digest,
        created_at__gte=since,
        status__gt=0,
    )
    return rows.exclude(key=request.key).order_by("-created_at").first()


@contextmanager
def first_use(request: KeyedRequest) -> Iterator[IdempotencyKey]:
    """The row of a request's key, in a transaction that holds the effect as well.

    Others wait for the key until the block is left: do what is slow before, unless
    the key `was_used`.

    Where the row is `answered` the request was made before: give that answer. Where it
    is not, do what is asked and call `answer_with`; without that call, and when an
    exception leaves the block, the key stays unused. Raises KeyReused, and KeyInUse
    after MAX_WAIT seconds.
    """
    with transaction.atomic():
        row = _row_of(request)
        yield row
        if not row.answered:
            row.delete()


def _row_of(request: KeyedRequest) -> IdempotencyKey:
    fresh = IdempotencyKey(
        user_id=request.user.pk,
        key=request.key,
        route=request.route,
        digest=request.digest,
    )
    with _bounded_wait():
        # waits for a transaction that has inserted the same key, to its end
        IdempotencyKey.objects.bulk_create([fresh], ignore_conflicts=True)
    row = IdempotencyKey.objects.get(user=request.user.pk, key=request.key)
    if (row.route, row.digest) != (request.route, request.digest):
        raise KeyReused(row, request.used)
    return row


@contextmanager
def _bounded_wait() -> Iterator[None]:
    """A savepoint in which locks are waited for MAX_WAIT seconds. Raises KeyInUse."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{MAX_WAIT}s'")
            yield
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as failure:
        if getattr(failure.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE:
            raise KeyInUse from failure
        raise


def digest_of(fields: Any) -> str:
    """sha256 of parsed fields; a file counts by its name and the sha256 of its bytes.

    The same whatever the order of names, and however a browser drew the boundary.
    Raises Refused for what is nested too deep.
    """
    if isinstance(fields, MultiValueDict):
        fields = {
            name: [_plain(value) for value in values] for name, values in fields.lists()
        }
    try:
        text = json.dumps(fields, sort_keys=True, default=str)
    except RecursionError:
        raise Refused("This is nested too deep.") from None
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    stored = getattr(value, "stored", None)  # of what streams into the evidence store
    return {"name": value.name, "sha256": stored.sha256 if stored else _sha256(value)}


def _sha256(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def forget_old_keys(instant: dt.datetime) -> int:
    """Delete keys that were used longer than KEPT ago; returns how many."""
    old = IdempotencyKey.objects.filter(created_at__lt=instant - KEPT)
    return old.delete()[0]
