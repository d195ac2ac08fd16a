"""What every API route shares: paging, ETags and If-Match, input that is checked."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.utils.http import parse_etags, quote_etag
from rest_framework import exceptions, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from controls.api.known_fields import checked
from controls.errors import StaleVersion


class Precondition(exceptions.APIException):
    """The edit does not name the version it is based on."""

    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_detail = "Send If-Match with the ETag of the version you changed."


# A primary key as a cursor names it.
KEY = re.compile(r"[0-9]{1,19}", re.ASCII)
# The version of no row: what an If-Match header says that matches nothing.
NO_VERSION = -1


class ByKey(CursorPagination):
    """Cursor paging by primary key, 100 rows a page."""

    ordering = "pk"
    page_size = 100
    max_page_size = 500
    page_size_query_param = "page_size"
    cursor_query_description = "Where a page begins: out of `next` or `previous`."
    page_size_query_description = "Rows of a page: 100 unless named, 500 at most."
    invalid_cursor_message = "No page of this list begins there."

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Where a page begins. Raises NotFound for what no page of ours named."""
        cursor: Cursor | None = super().decode_cursor(request)
        position: Any = cursor.position if cursor else None
        if position is not None and not KEY.fullmatch(position):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def valid(kind: type[serializers.BaseSerializer[Any]], request: Request) -> Any:
    """What a request says, checked by a serializer. Raises its ValidationError."""
    return dict(checked(kind(data=request.data)))


def page_of(view: Any, rows: QuerySet[Any], kind: Any) -> Response:
    """One page of `rows`, by key as every list, each shown by the serializer `kind`."""
    page = view.paginate_queryset(rows)
    answer: Response = view.get_paginated_response(kind(page, many=True).data)
    return answer


def etag(row: Any) -> str:
    """The ETag of a row that people edit: its version."""
    return quote_etag(f"{row.uuid}:{row.version}")


def expected_version(
    request: Request, row: Any, *, required: bool = True
) -> int | None:
    """What If-Match says of a row, for a verb to compare with the locked row.

    None where any version will do: for `*`, and without the header unless it is
    required (then raises Precondition, 428). NO_VERSION where none of its tags is the
    row's. RFC 9110 has the tags compared strongly, so a weak one is never the row's.
    """
    header = request.headers.get("If-Match", "")
    if not header:
        if required:
            raise Precondition
        return None
    tags = parse_etags(header)
    if tags == ["*"]:
        return None
    version: int = row.version
    return version if etag(row) in tags else NO_VERSION


class WithoutETag:
    """For viewsets of rows that bear no version: of If-Match only `*` matches."""

    def get_object(self) -> Any:
        """The row. Raises StaleVersion where a change names an ETag it never had."""
        row = super().get_object()  # type: ignore[misc]
        request: Request = self.request  # type: ignore[attr-defined]
        header = request.headers.get("If-Match", "")
        if request.method in SAFE_METHODS or not header:
            return row
        if parse_etags(header) != ["*"]:
            raise StaleVersion("This has no ETag: leave out If-Match, or send *.")
        return row


def unmatched(header: str, reason: str) -> str:
    """Why an If-Match header did not match: `reason`, unless the tags are at fault."""
    tags = parse_etags(header)
    if not tags:
        return "If-Match holds no ETag. Send it as you got it, with its quotes."
    if all(tag.startswith("W/") for tag in tags):
        return (
            "If-Match compares strongly, so a weak tag (W/) never matches. A proxy that"
            " compresses answers weakens their tags: send the tag without its W/."
        )
    return reason
