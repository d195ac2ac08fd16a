"""The reasons that people give for what they decide: what one may hold, how long."""

from __future__ import annotations

from controls.errors import Refused

MAX_REASON = 2_000  # characters, a line break being one


def refuse_long(reason: str, field: str = "reason") -> None:
    """Raise Refused, at the field, for a reason of more than MAX_REASON characters, and
    for one with a character that the database does not keep."""
    if "\x00" in reason:
        raise Refused({field: "Null characters are not allowed."})
    if len(reason) > MAX_REASON:
        raise Refused(
            {
                field: f"Say it in at most {MAX_REASON:,} characters; these are"
                f" {len(reason):,}."
            }
        )
