"""What a person typed into a form that was not taken: shown again, never lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest

# What every page puts into its forms, and whoever sends them again gets anew.
TOKENS = frozenset({"csrfmiddlewaretoken", "form_token"})
# What a page puts into some of its forms.
HIDDEN = frozenset({"token", "version", "seen_version", "next", "shown", "duties"})
# Of a table that is changed in one go: beside each `state-X` a hidden `seen-X` with the
# state that was shown, a colon, and its version.
OF_TABLE, SEEN = "state-", "seen-"
NOT_TYPED = (SEEN, "_")  # the latter are buttons and choices of the admin
# What is chosen from a list, whatever the words for it.
LISTED = frozenset(
    {"method", "kind", "sensitivity", "responsibility", "cadence", "purpose"}
    | {"state", "methods", "result", "severity", "part", "team"}
)
# A box that was ticked, a button, a row that was chosen: nothing one could copy.
CHOSEN = re.compile(
    r"on|yes|no|true|false|accept|reject|return|cancel|approve|refuse|withdraw|\d{1,12}"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
OF_A_ROW = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


def typed_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of a form, by name, in their order; without its tokens.

    Empty unless the form was read already: nobody reads a long body for this.
    """
    if not hasattr(request, "_post"):
        return []
    fields = request.POST.lists()
    return [(name, v) for name, vs in fields if name not in TOKENS for v in vs]


def typed_texts(request: HttpRequest) -> list[tuple[str, str]]:
    """Of the fields, those whose text one would type again: label and text."""
    texts = texts_among(typed_fields(request))
    return [(field_label(name), text) for name, text in texts]


def texts_among(fields: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of the fields of a form, by name, those that somebody typed or chose in a table
    otherwise than it was shown."""
    shown = {
        OF_TABLE + name.removeprefix(SEEN): text.partition(":")[0]
        for name, text in fields
        if name.startswith(SEEN)
    }
    return [
        (name, text)
        for name, text in fields
        if is_typed(name, text) and shown.get(name) != text
    ]


def is_typed(name: str, text: str) -> bool:
    """Whether a field holds a text that somebody wrote, not what a page put there."""
    if name in LISTED | HIDDEN or name.startswith(NOT_TYPED) or not text.strip():
        return False
    return not CHOSEN.fullmatch(text.strip())


def is_secret(name: str) -> bool:
    """Whether a field holds a password, which is kept nowhere."""
    return "password" in name and name != "usable_password"


def field_label(name: str) -> str:
    """`day_shown_by-<uuid>` as a person reads it: `Day shown by`."""
    return OF_A_ROW.sub("", name).replace("_", " ").replace("-", " ").capitalize()


def for_templates(request: HttpRequest) -> dict[str, Callable[[], Any]]:
    """`typed_texts` in every template, worked out only where it is shown."""
    return {"typed_texts": lambda: typed_texts(request)}
