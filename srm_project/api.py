"""What every API answer shares: one error shape, paging, ETags, scoped tokens."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DataError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from controls.api.conventions import unmatched
from controls.errors import StaleVersion
from srm_project.once_more import sqlstate_of

PROBLEM = "application/problem+json"
UNSTORABLE = "What was sent holds a character or number that cannot be kept."
# None of PostgreSQL's (psycopg refused it before), or numeric_value_out_of_range.
UNSTORABLE_STATES = frozenset({"", "22003"})


def problem(failure: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as problem+json: type, title, status, detail, errors."""
    if isinstance(failure, StaleVersion):
        return _stale(failure, context["request"])
    if isinstance(failure, ValidationError):
        return _refused(failure)
    if isinstance(failure, RecursionError) and "JSON" in str(failure):
        return _problem_response(400, "The JSON is nested too deep.", {}, {})
    if _no_text_or_number(failure):
        return _problem_response(400, UNSTORABLE, {}, {})
    answer = exception_handler(failure, context)
    if answer is None:
        return None
    detail, errors = _detail_and_errors(failure, answer.data)
    return _problem_response(answer.status_code, detail, errors, dict(answer.items()))


def _no_text_or_number(failure: Exception) -> bool:
    """Whether something was sent that no column can hold (NUL, half a character)."""
    if isinstance(failure, UnicodeEncodeError):
        return True
    return isinstance(failure, DataError) and sqlstate_of(failure) in UNSTORABLE_STATES


def _refused(failure: ValidationError) -> Response:
    code = getattr(failure, "status_code", status.HTTP_400_BAD_REQUEST)
    errors = failure.message_dict if hasattr(failure, "error_dict") else {}
    wait = getattr(failure, "retry_after", None)
    headers = {"Retry-After": str(wait)} if wait else {}
    return _problem_response(code, " ".join(failure.messages), errors, headers)


def _stale(failure: StaleVersion, request: Request) -> Response:
    """412 where If-Match named the version; 409 where the body did."""
    header = request.headers.get("If-Match", "")
    if not header:
        return _refused(failure)
    detail = unmatched(header, " ".join(failure.messages))
    return _problem_response(status.HTTP_412_PRECONDITION_FAILED, detail, {}, {})


def _detail_and_errors(failure: Exception, data: Any) -> tuple[str, Any]:
    if isinstance(failure, Http404):
        return "There is no such object, or you may not see it.", {}
    if isinstance(failure, PermissionDenied):
        return str(failure) or "You may not do this.", {}
    if isinstance(failure, exceptions.ValidationError):
        return "The input cannot be accepted as it is.", data
    return str(data.get("detail", failure)), {}


def _problem_response(
    code: int, detail: str, errors: Any, headers: dict[str, str]
) -> Response:
    kept = {k: v for k, v in headers.items() if k.lower() != "content-type"}
    body = {
        "type": "about:blank",
        "title": TITLES.get(code, "Refused"),
        "status": code,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=code, headers=kept, content_type=PROBLEM)


TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not acceptable as it is",
    428: "Precondition required",
    429: "Too many requests",
    503: "Not available now",
    507: "No space left",
}
