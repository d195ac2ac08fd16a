"""The two clocks and the audit window of a request to the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from controls.errors import Refused
from controls.models import System
from evidence.status.clock_parameters import (
    ClockError,
    ClockFault,
    Window,
    day_parameter,
    messages_by_parameter,
    parse_day,
    parse_instant,
    read_clocks,
)
from evidence.status.clocks import moment_from, window_from
from evidence.status.control_status import instant_now
from evidence.status.gather import Moment

CLOCKS = [
    OpenApiParameter("on", dt.date, description="Day the answer is about."),
    OpenApiParameter(
        "known_at",
        dt.datetime,
        description="Only what was recorded before this; a day means its end.",
    ),
    OpenApiParameter("window_from", dt.date, description="Another audit window."),
    OpenApiParameter("window_to", dt.date, description="Its last day."),
    OpenApiParameter(
        "as_known_then", bool, description="Knowledge of the end of `on` as well."
    ),
]


def clocks_of(request: Request, system: System) -> tuple[Moment, Window]:
    """The two clocks and the window of a request.

    Raises Refused naming every parameter that is wrong.
    """
    named = read_clocks(dict(request.query_params.lists()))
    _require_none(named.faults)
    moment = moment_from(system, named, now=instant_now())
    return moment, window_from(system, named, moment)


def days_of(request: Request, *names: str) -> list[dt.date | None]:
    """Days among the parameters of a request; None for one that is not named.

    Raises Refused naming every parameter that is wrong.
    """
    faults: list[ClockFault] = []
    parameters = dict(request.query_params.lists())
    days = [day_parameter(parameters, name, faults) for name in names]
    _require_none(faults)
    return days


class BodyDayField(serializers.DateField):
    """A day of a body, within the bounds of all clocks."""

    def to_internal_value(self, value: Any) -> dt.date:
        """The day. Raises ValidationError."""
        return _parsed(parse_day, value)


class InstantField(serializers.DateTimeField):
    """An instant of a body with its offset, within the bounds of all clocks."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        """The instant. Raises ValidationError."""
        return _parsed(parse_instant, value)


def _parsed(parse: Callable[[str], Any], value: Any) -> Any:
    try:
        return parse(str(value))
    except ClockError as fault:
        raise serializers.ValidationError(fault.sentence, fault.code) from fault


def _require_none(faults: tuple[ClockFault, ...] | list[ClockFault]) -> None:
    if faults:
        raise Refused(messages_by_parameter(faults))
