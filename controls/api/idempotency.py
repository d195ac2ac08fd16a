"""The header Idempotency-Key, on every route that makes something."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from controls.errors import NotPermitted
from controls.idempotency import KeyedRequest, digest_of, first_use, was_used
from controls.models.idempotency import MAX_KEY, IdempotencyKey
from srm_project.requests import actor_of

HEADER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=(
        f"Up to {MAX_KEY} characters of your choice, kept for 30 days: the same request"
        " under the same key is answered as the first was and makes nothing more;"
        " another one is refused (422)."
    ),
)
KEPT_HEADERS = ("ETag", "Location")
Handler = Callable[..., Response]


def idempotent(
    *, secrets: tuple[str, ...] = (), before: Callable[..., None] | None = None
) -> Callable[[Handler], Handler]:
    """For handlers that make something: a key gets the same answer again.

    `secrets` are members of the answer that are shown once and kept nowhere: the
    repeated answer lacks them. `before` takes what the handler takes and does what is
    slow; it is called while nobody waits for the key, unless the key was used.
    """

    def decorate(handler: Handler) -> Handler:
        @extend_schema(parameters=[HEADER])
        @wraps(handler)
        def handle(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            key = request.headers.get("Idempotency-Key", "")
            if not key:
                return handler(view, request, *args, **kwargs)
            keyed = _keyed(view, request, key)
            if before is not None and not was_used(keyed.user, key):
                before(view, request, *args, **kwargs)
            with first_use(keyed) as row:
                if row.answered:
                    return _same_answer(row)
                answer = handler(view, request, *args, **kwargs)
                if status.is_success(answer.status_code):
                    _keep(row, answer, secrets)
            return answer

        handle.idempotent = True  # type: ignore[attr-defined]
        return handle

    return decorate


def _keyed(view: Any, request: Request, key: str) -> KeyedRequest:
    """The request by its parsed fields. Raises where the body did not come whole."""
    fields = request.data
    if hasattr(view, "refuse_unread"):
        view.refuse_unread(request)
    route = f"{request.method} {request.path}"
    return KeyedRequest(actor_of(request), key, route, digest_of(fields))


def _keep(row: IdempotencyKey, answer: Response, secrets: tuple[str, ...]) -> None:
    data = answer.data
    if secrets:
        data = {name: value for name, value in data.items() if name not in secrets}
    body = JSONRenderer().render(data).decode()
    headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
    row.answer_with(answer.status_code, body=body, headers=headers)


def _same_answer(row: IdempotencyKey) -> Response:
    """Raises NotPermitted for whoever lost a role since: it may show what they read."""
    if not row.may_be_read:
        raise NotPermitted(
            "This was done when it was first sent, and is not done again. You have lost"
            " a role since: its answer is not shown any more."
        )
    data = json.loads(row.body) if row.body else None
    return Response(data, status=row.status, headers=row.headers)
