"""Names and titles are one line that shows what it says: they stand in lists, mails,
calendars and sentences of other people (IN-06, AU-12)."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError

# Ends of lines and other controls; signs that turn the direction of what follows.
NOT_IN_A_LINE = frozenset({"Cc", "Zl", "Zp"})
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ONE_LINE = (
    "This is one line of text: without line breaks, control characters and signs that"
    " turn its direction."
)


def is_one_line(text: str) -> bool:
    """Whether the text is one line that reads as it is written."""
    return not any(
        sign in TURNING or unicodedata.category(sign) in NOT_IN_A_LINE
        for sign in text.strip()
    )


def refuse_other_lines(text: str) -> None:
    """Raise ValidationError unless the text is one line."""
    if not is_one_line(text):
        raise ValidationError(ONE_LINE, "one_line")
