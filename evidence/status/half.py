"""What a half of a control comes to: a state, until when it holds, and why. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from evidence.status.facts import HalfState
from evidence.status.reasons import Reason
from evidence.status.values import value

GOOD: frozenset[HalfState] = frozenset({"proven", "expiring"})
FAILING: frozenset[HalfState] = frozenset({"missing", "lapsed"})
WORST_FIRST: tuple[HalfState, ...] = (
    "missing",
    "lapsed",
    "pending",
    "design_only",
    "expiring",
    "proven",
    "not_required",
)


@value
class ProviderResult:
    """One provider's part of the half: state, the last day it holds, and why."""

    provider: str
    name: str
    state: HalfState
    until: dt.date | None
    reasons: tuple[Reason, ...]


@value
class HalfResult:
    """State of a half, the last day it holds (None: no end, or none), and why.

    `providers` tells the providers of their half apart; ours has none.
    """

    state: HalfState
    until: dt.date | None
    reasons: tuple[Reason, ...]
    providers: tuple[ProviderResult, ...] = ()


def worst(states: Iterable[HalfState]) -> HalfState:
    """The worst of several states; `missing` of none: nothing is never green."""
    met = set(states)
    return next((state for state in WORST_FIRST if state in met), "missing")
