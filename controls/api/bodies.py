"""Bodies of JSON, kept so that a request can be done once more."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.parsers import JSONParser


class KeptJSONParser(JSONParser):
    """Reads the body at once; Django keeps it, within DATA_UPLOAD_MAX_MEMORY_SIZE.

    Raises RequestDataTooBig beyond that, answered 413.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What the body says. Raises ParseError."""
        if isinstance(stream, HttpRequest):
            stream = io.BytesIO(stream.body)
        parsed: dict[str, Any] = super().parse(stream, media_type, parser_context)
        return parsed
