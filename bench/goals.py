"""What a page may take at every size, and which of the figures are above it."""

from __future__ import annotations

from collections.abc import Mapping

# p50 over HTTP on two idle cores in milliseconds; of memory, megabytes.
GOALS: Mapping[str, float] = {
    "My work, contributor": 100,
    "My work, reviewer": 100,
    "calendar, mine": 150,
    "calendar, system": 150,
    "systems list": 150,
    "review queue": 60,
    "dashboard": 80,
    "control list, 100 rows": 25,
    "control page": 60,
    "API: whole assessment": 250,
    "notices run": 2000,
    "web process after them, MB": 250,
}


def above(figures: Mapping[str, float]) -> dict[str, float]:
    """Of figures by name, those above their goals."""
    return {
        name: figure
        for name, figure in figures.items()
        if name in GOALS and figure > GOALS[name]
    }


def goal_of(name: str) -> str:
    """The goal as a table shows it; empty where there is none."""
    return f"{GOALS[name]:,.0f}" if name in GOALS else ""
