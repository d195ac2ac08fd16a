"""Bodies of the API: JSON is kept so that a request can be done once more, and names
and titles are one line."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import (
    DataAndFiles,
    FormParser,
    JSONParser,
    MultiPartParser,
)

from controls.one_line import ONE_LINE, is_one_line

LINES = frozenset({"title", "name", "label", "number", "reference"})


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
        _refuse_other_lines(_members(parsed))
        return parsed


class LinesFormParser(FormParser):
    """Forms whose names and titles are one line. Raises ValidationError."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """What the form says."""
        parsed = super().parse(stream, media_type, parser_context)
        _refuse_other_lines(parsed.items())
        return parsed


class LinesMultiPartParser(MultiPartParser):
    """The same of forms with files."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> DataAndFiles[Any, Any]:
        """What the form says, and its files."""
        parsed = super().parse(stream, media_type, parser_context)
        try:
            _refuse_other_lines(parsed.data.items())
        except ValidationError:
            for _, files in parsed.files.lists():
                for file in files:
                    file.close()  # as Django does at the end of a request that has them
            raise
        return parsed


def _members(body: Any) -> Iterable[tuple[str, Any]]:
    """Every member of every object of a body, however deep."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value.items()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _refuse_other_lines(members: Iterable[tuple[str, Any]]) -> None:
    wrong = {
        name: [ONE_LINE]
        for name, value in members
        if name in LINES and isinstance(value, str) and not is_one_line(value)
    }
    if wrong:
        raise ValidationError(wrong)
