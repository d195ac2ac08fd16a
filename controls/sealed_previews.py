"""What a preview showed, as signed text: for who asked, for an hour.

Source: every door shows a preview before anything is written. That a text counts once
is up to `controls.idempotency`; that what it shows is still so, to the verb.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core import signing

from controls.errors import TransitionNotAllowed
from controls.models import Actor

MAX_AGE = 3600  # seconds that a preview may be confirmed


def seal(kind: str, about: int, body: Mapping[str, Any], *, by: Actor) -> str:
    """The text of a preview; `about` is the key of what it is about, `body` is JSON."""
    owned = {**body, "about": about, "by": by.pk}
    return signing.dumps(owned, salt=kind, compress=True)


def unseal(kind: str, token: str, about: int, *, by: Actor, again: str) -> Any:
    """The body that was sealed. Raises TransitionNotAllowed for a text that is too old
    or broken, with `again` as what to do, and for one that is not about this or is
    another person's."""
    try:
        body = signing.loads(token, salt=kind, max_age=MAX_AGE)
    except signing.BadSignature as broken:
        raise TransitionNotAllowed(f"This preview is too old. {again}") from broken
    if (body.get("about"), body.get("by")) != (about, by.pk):
        raise TransitionNotAllowed("This preview is somebody else's.")
    return body
