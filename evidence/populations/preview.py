"""A population seen before it is recorded: read, shown, confirmed within the hour.

As with many files at once, the bytes lie in the store meanwhile and no row names them.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from controls.errors import Refused, TransitionNotAllowed
from controls.grammar import size_in_words
from controls.history.clock import knowledge_now
from controls.idempotency import KeyedRequest, first_use, was_confirmed
from controls.models import Actor
from controls.sealed_previews import seal, unseal
from evidence.files.checks import Checked
from evidence.models import Arrival, Population, RequirementControl
from evidence.populations import event_list
from evidence.populations.event_list import EventRow, Events
from evidence.populations.populations import (
    ENDS_BEFORE_IT_STARTS,
    PopulationStatement,
    record_population,
    refuse_impossible,
)
from evidence.populations.who_may import require_population_submitter
from evidence.storage import StoredBytes, open_store, refuse_broken_off
from evidence.submissions.quotas import count_preview
from evidence.submissions.uploads import (
    Upload,
    checked_upload,
    refuse_removed,
    settle_all,
)

SALT = "evidence.population"
AGAIN = "Send the list again."
SHOWN = 10  # events that a preview lists
PASTED = "pasted.csv"


@dataclass(frozen=True)
class PopulationPreview:
    """What a list would become; `token` confirms it, empty where something is wrong."""

    events: Events
    token: str = ""

    @property
    def first(self) -> list[EventRow]:
        """The first events, to see whether the columns were understood."""
        return self.events.rows[:SHOWN]


def preview(
    requirement: RequirementControl,
    statement: PopulationStatement,
    upload: Upload | None,
    *,
    by: Actor,
    today: dt.date,
) -> PopulationPreview:
    """What the list holds. Keeps and counts its bytes where nothing is wrong."""
    events = read(upload, statement, zone=requirement.system.zone)
    if events.wrong:
        return PopulationPreview(events)
    refuse_impossible(statement, events, today)
    if upload is not None:
        team = require_population_submitter(requirement, by=by)
        refuse_removed([upload], requirement.system)
        count_preview([(team, [upload])], knowledge_now())
        settle_all([upload])
    body = {
        "preview": secrets.token_hex(8),  # two within one second are two
        "said": {name: str(value) for name, value in asdict(statement).items()},
        "none_happened": statement.none_happened,
        "file": _packed(upload),
    }
    return PopulationPreview(events, seal(SALT, requirement.pk, body, by=by))


def read(
    upload: Upload | None, statement: PopulationStatement, *, zone: dt.tzinfo
) -> Events:
    """The events of an upload by the days of `zone`; without one there are none."""
    if statement.ends < statement.starts:
        # once, and not again for each of its events
        raise Refused({"ends": ENDS_BEFORE_IT_STARTS})
    if upload is None:
        return Events()
    if upload.stored.size_bytes > event_list.MAX_BYTES:
        limit = size_in_words(event_list.MAX_BYTES)
        raise Refused({"list": f"The file is larger than {limit}."})
    if upload.incoming is not None and not upload.kept:
        with upload.incoming.reread() as body:
            return event_list.read(
                body, upload.name, statement.starts, statement.ends, zone=zone
            )
    try:
        with (
            refuse_broken_off(),
            open_store().open(upload.stored.sha256) as body,
        ):
            return event_list.read(
                body, upload.name, statement.starts, statement.ends, zone=zone
            )
    except FileNotFoundError as gone:
        sentence = f"“{upload.name}” is no longer there. Send it again."
        raise TransitionNotAllowed(sentence) from gone


def pasted(text: str) -> Upload:
    """Lines typed into a form, as the file they might have been."""
    incoming = open_store().begin(limit=settings.MAX_UPLOAD_BYTES)
    incoming.write(text.encode())
    return checked_upload(PASTED, incoming)


def _packed(upload: Upload | None) -> list[Any] | None:
    if upload is None:
        return None
    stored, checked = upload.stored, upload.checked
    flags = list(checked.flags)
    about = [upload.name, stored.sha256, stored.size_bytes, checked.media_type, flags]
    return [*about, "counted"]


def confirm(
    requirement: RequirementControl, token: str, *, by: Actor, today: dt.date
) -> Population:
    """Record a previewed population; confirmed again, the same one.

    Raises TransitionNotAllowed when the preview is too old, another person's or its
    bytes are gone; and what `bring_population` raises for what changed since.
    """
    verb = f"confirm population for requirement {requirement.pk}"
    # the list is read from the store before the key is held
    drawn = None if was_confirmed(by, token) else _opened(requirement, token, by)
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return Population.objects.get(pk=int(key.body))
        statement, upload, events = drawn or _opened(requirement, token, by)
        population = record_population(
            requirement, statement, events, upload, by=by, today=today
        )
        key.answer_with(201, body=str(population.pk))
    return population


def _opened(
    requirement: RequirementControl, token: str, by: Actor
) -> tuple[PopulationStatement, Upload | None, Events]:
    """What was previewed, read from the store; no sweep deletes it from now on.

    Raises TransitionNotAllowed for a token that counts not.
    """
    body = unseal(SALT, token, requirement.pk, by=by, again=AGAIN)
    statement, upload = _statement(body), _unpacked(body["file"])
    if upload is not None:
        Arrival.objects.expect([upload.stored.sha256])
    return statement, upload, read(upload, statement, zone=requirement.system.zone)


def _statement(body: dict[str, Any]) -> PopulationStatement:
    fields = body["said"] | {"none_happened": body["none_happened"]}
    for name in ("starts", "ends"):
        fields[name] = dt.date.fromisoformat(fields[name])
    return PopulationStatement(**fields)


def _unpacked(packed: list[Any] | None) -> Upload | None:
    if packed is None:
        return None
    name, sha256, size, media_type, flags, *counted = packed  # not by earlier versions
    stored = StoredBytes(sha256, size, b"")
    checked = Checked(media_type, tuple(flags))
    return Upload(name, stored, checked, counted=bool(counted))
