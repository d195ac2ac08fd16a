"""What every act on many rows is: rows chosen, each seen, then all of it or nothing.

Source: every door shows the preview before anything is written; its token counts once,
for who asked, for an hour, and only while nothing it showed has changed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from django.core.cache import cache

from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, Control, System
from controls.sealed_previews import MAX_AGE, seal, unseal

CHOICE = "evidence.bulk-act.choice"
PREVIEW = "evidence.bulk-act.preview"
AGAIN = "Choose the rows again."
MAX_ROWS = 5000  # rows of an act that is a few statements, whatever their number
MAX_ONE_BY_ONE = 2000  # rows of an act that goes through the verb of one row
MAX_AT_ONCE = 100  # of these in one request; a worker carries out more
MAX_IN_ADDRESS = 1500  # characters of a choice; a longer one is kept for its hour

Values = Mapping[str, Any]
Outcome = Literal["change", "same", "refused"]


@dataclass(frozen=True)
class ActRow:
    """What would become of one row: of `change` what `follows`, else why not.

    `key` is the row's own; `control` is the one that it is or is about.
    """

    key: int
    control: Control
    outcome: Outcome
    before: str
    after: str
    follows: str
    title: str = ""


@dataclass(frozen=True)
class Done:
    """How many rows an act changed and how many it refused; the sentence that says so,
    and the address where the rows were chosen, as its preview had them."""

    changed: int
    refused: int
    sentence: str
    back: str


class Act(Protocol):
    """One kind of act. `name` stands in its address; `max_rows` may be chosen.

    A worker carries out more rows than `at_once`: see `runs`.
    """

    name: str
    max_rows: int
    at_once: int

    def require_right(self, system: System, *, by: Actor) -> None:
        """Raise NotPermitted where the person may do it of no row of the system."""

    def rows(
        self,
        system: System,
        keys: Collection[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
        lock: bool = False,
    ) -> list[ActRow]:
        """What would become of each of these rows, in catalog order; writes nothing.

        Keys of other systems are left out. With `lock` the rows, and what the verb
        locks before them, are locked in the order of their keys.
        """

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """Do it of these rows, all of which would change, and record it."""


def sealed_choice(
    act: Act, system: System, keys: Collection[int], back: str, *, by: Actor
) -> str:
    """Rows that a person chose for an act, and the address they chose them at, as text
    that fits into an address.

    Raises Refused for none or more than the act takes.
    """
    if not keys:
        raise Refused("Choose at least one row.")
    if len(keys) > act.max_rows:
        raise Refused(
            f"At most {act.max_rows:,} rows in one act: filter the list, or tick fewer."
        )
    body = {"act": act.name, "keys": sorted(keys), "back": back}
    token = seal(CHOICE, system.pk, body, by=by)
    if len(token) <= MAX_IN_ADDRESS:
        return token
    name = secrets.token_urlsafe(16)
    cache.set(_place_of(name), token, MAX_AGE)
    return seal(CHOICE, system.pk, {"kept": name}, by=by)


def _place_of(name: str) -> str:
    """Where the cache keeps a choice that is too long for an address."""
    return f"bulk-act-choice:{name}"


def opened_choice(
    act_name: str, system: System, token: str, *, by: Actor
) -> tuple[list[int], str]:
    """The keys and the address of a choice. Raises TransitionNotAllowed where it is
    too old, another person's or of another act."""
    body = unseal(CHOICE, token, system.pk, by=by, again=AGAIN)
    if "kept" in body:
        kept = cache.get(_place_of(body["kept"])) or ""
        body = unseal(CHOICE, kept, system.pk, by=by, again=AGAIN)
    if body["act"] != act_name:
        raise TransitionNotAllowed(f"This was chosen for something else. {AGAIN}")
    return list(body["keys"]), str(body["back"])


def changing(rows: Iterable[ActRow]) -> list[ActRow]:
    """Those of the rows that would change."""
    return [row for row in rows if row.outcome == "change"]


def sealed_act(
    act: Act,
    system: System,
    rows: Sequence[ActRow],
    values: Values,
    *,
    sentence: str,
    back: str,
    by: Actor,
) -> str:
    """What was shown as a signed text that who asked may confirm within an hour.

    `sentence` and `back` as in `Done`. Raises Refused where nothing would change.
    """
    if not changing(rows):
        raise Refused(
            "None of these rows would change: choose other rows, or say something else."
        )
    body: dict[str, Any] = {
        "act": act.name,
        "values": dict(values),
        "sentence": sentence,
        "back": back,
    }
    effective = changing(rows)
    if len(effective) > act.at_once:
        refused = sum(row.outcome == "refused" for row in rows)
        body["run"] = [(row.key, shown_of(row)) for row in effective]
        body["refused"] = refused
    else:
        body |= {"keys": [row.key for row in rows], "shown": digest_of(rows)}
    return seal(PREVIEW, system.pk, body, by=by)


def shown_of(row: ActRow) -> str:
    """What a person saw of one row, as a few characters."""
    shown = [row.outcome, row.before, row.after, row.follows]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:12]


def digest_of(rows: Iterable[ActRow]) -> str:
    """What a person saw of each row, as 64 characters."""
    shown = [[row.key, row.outcome, row.before, row.after, row.follows] for row in rows]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
