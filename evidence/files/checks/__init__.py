"""Is a file what its name says, and can it do anything by itself?

Source: UP-03, UP-04, UP-08, UP-09 and UP-11 of the requirements. `check` is loaded when
it is named: the checks themselves run where nobody asks for one, and load little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evidence.files.checks.kinds import ALLOWED, Checked

if TYPE_CHECKING:
    from evidence.files.checks.boundary import check

__all__ = ["ALLOWED", "Checked", "check"]


def __getattr__(name: str) -> Any:
    """`check`, of the side of those who ask."""
    if name != "check":
        raise AttributeError(name)
    from evidence.files.checks.boundary import check

    return check
