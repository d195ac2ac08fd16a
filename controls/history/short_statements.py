"""Statements whose planning takes as long as they do."""

from __future__ import annotations

from typing import Any

from django.db import connection


def planned_once() -> Any:
    """A cursor for a fixed text of few parameters, planned once for each connection
    (`postgresql/base.py`); to be used as `connection.cursor()` is."""
    return connection.planned_once()  # type: ignore[attr-defined]
