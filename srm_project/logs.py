"""One log line per happening, as JSON, with the request's id and no control codes."""

from __future__ import annotations

import json
import logging


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; line breaks and escapes are encoded."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time (UTC), level, logger, request id, message, and the trace."""
        from srm_project.middleware import request_id

        entry = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "request": request_id.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=True)


class TextLines(logging.Formatter):
    """Formats a record for people who read a terminal; control codes are encoded."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time (UTC), level, logger, request id and message; the trace."""
        from srm_project.middleware import request_id

        at = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        message = record.getMessage().encode("unicode_escape").decode()
        line = f"{at} {record.levelname} {record.name} [{request_id.get()}] {message}"
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return line
