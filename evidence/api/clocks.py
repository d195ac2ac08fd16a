"""The two clocks and the audit window of a request to the API."""

from __future__ import annotations

import datetime as dt

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from controls.errors import Refused
from controls.models import System
from evidence.status.control_status import (
    Window,
    as_known_then,
    moment_of,
    refuse_window,
    window_of,
)
from evidence.status.gather import Moment

CLOCKS = [
    OpenApiParameter("on", dt.date, description="Day the answer is about."),
    OpenApiParameter(
        "known_at", dt.datetime, description="Only what was recorded before this."
    ),
    OpenApiParameter("window_from", dt.date, description="Another audit window."),
    OpenApiParameter("window_to", dt.date, description="Its last day."),
    OpenApiParameter(
        "as_known_then", bool, description="Knowledge of the end of `on` as well."
    ),
]


def moment_asked(request: Request, system: System) -> Moment:
    """The two clocks of a request. Raises Refused naming the parameter."""
    day = _day(request.query_params.get("on"))
    instant = _instant(request.query_params.get("known_at"))
    if day and request.query_params.get("as_known_then") in {"1", "true"}:
        return as_known_then(system, day)
    return moment_of(system, day, instant)


def window_asked(request: Request, system: System, moment: Moment) -> Window:
    """The audit window of a request: the system's unless another is named."""
    names = ("window_from", "window_to")
    start, end = (_day(request.query_params.get(name), name) for name in names)
    if start is None and end is None:
        return window_of(system, moment.known_at)
    if start is None or end is None:
        raise Refused({"window_to": "Give both days of a window, or none."})
    refuse_window(start, end)
    return start, end


def _day(text: str | None, name: str = "on") -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused({name: f"“{text}” is not a day such as 2026-06-30."}) from None


def _instant(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        instant = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Refused({"known_at": f"“{text}” is not an instant with an offset."})
    return instant
