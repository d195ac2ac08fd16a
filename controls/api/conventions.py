"""What every API route shares: paging, ETags, input that is checked."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions, serializers, status
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request


class Precondition(exceptions.APIException):
    """The edit does not name the version it is based on."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = "Send If-Match with the ETag of the version you changed."


class ByKey(CursorPagination):
    """Cursor paging by primary key, 100 rows a page."""

    ordering = "pk"
    page_size = 100
    max_page_size = 500
    page_size_query_param = "page_size"


def valid(kind: type[serializers.BaseSerializer[Any]], request: Request) -> Any:
    """What a request says, checked by a serializer. Raises its ValidationError."""
    given = kind(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def etag(row: Any) -> str:
    """The ETag of a row that people edit: its version."""
    return f'"{row.uuid}:{row.version}"'


def expected_version(request: Request, row: Any) -> int:
    """The version named by If-Match.

    Raises Precondition (428) without the header; a foreign tag never matches.
    """
    header = request.headers.get("If-Match", "")
    if not header:
        raise Precondition
    prefix, _, number = header.strip('"').rpartition(":")
    return int(number) if prefix == str(row.uuid) and number.isdigit() else -1
