"""Which addresses lead to one mailbox, so that one person is not taken for two (R32).

What can be seen from the text alone: case, what follows a plus sign, and the dots that
Gmail passes over. Two mailboxes of one person nobody can see here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from controls.models import User

WITHOUT_DOTS = frozenset({"gmail.com", "googlemail.com"})


def mailbox_of(address: str) -> str:
    """The mailbox that an address leads to, in small letters."""
    local, _, domain = address.strip().lower().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in WITHOUT_DOTS:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def sharing_a_mailbox(people: Iterable[User]) -> list[list[User]]:
    """Of these people those with several accounts on one mailbox, in their order."""
    by_mailbox: defaultdict[str, dict[int, User]] = defaultdict(dict)
    for person in people:
        by_mailbox[mailbox_of(person.email)][person.pk] = person
    return [list(same.values()) for same in by_mailbox.values() if len(same) > 1]
