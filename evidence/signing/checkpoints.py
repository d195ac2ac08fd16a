"""Signed checkpoints of the audit log, kept where the database's owner does not reach.

A checkpoint says how many events a chain had at an instant and what the hash of the
last one was, so whoever cuts a chain's tail, or writes it anew, contradicts it. Each
names the one before it. Source: AU-04, AU-05 of the requirements.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from controls.errors import SrmError
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, System
from controls.models.audit import INSTANCE_CHAIN
from evidence.signing.keys import PublicKey, known_keys, signing_key
from evidence.signing.places import CheckpointPlace, places
from evidence.storage import StoreUnreachable
from evidence.storage.exclusive import CHECKPOINTING, exclusive_lock

log = logging.getLogger("srm.audit")
LABELS = ("at", "chain", "head", "installation", "previous", "size")


class NotOurs(SrmError):
    """A file is no checkpoint of this installation; the sentence says why."""


@dataclass(frozen=True)
class Checkpoint:
    """What was signed: `size` events of `chain`, the last with the hash `head` (hex).

    `at` is UTC in ISO 8601; `installation` the hash of the first event of the
    installation's own chain (empty while it had none); `previous` the sha256 of the
    statement before, or empty.
    """

    chain: str
    size: int
    head: str
    at: str
    installation: str
    previous: str

    @property
    def statement(self) -> str:
        """The exact text that is signed."""
        content = {label: getattr(self, label) for label in LABELS}
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    @property
    def instant(self) -> dt.datetime:
        """When it was made."""
        return dt.datetime.fromisoformat(self.at)


def installation() -> str:
    """What tells this installation from others; empty before anything happened."""
    return _hash_of(INSTANCE_CHAIN, 1)


def chains() -> list[str]:
    """The names of all chains: the installation's and each system's."""
    keys = System.objects.order_by("pk").values_list("uuid", flat=True)
    return [INSTANCE_CHAIN, *(str(key) for key in keys)]


def read_checkpoint(data: bytes, keys: dict[str, PublicKey]) -> Checkpoint:
    """The checkpoint in a file, once one of the keys is found to have signed it.

    Raises NotOurs.
    """
    try:
        sealed = json.loads(data)
        statement, signature = sealed["statement"], bytes.fromhex(sealed["signature"])
        content = json.loads(statement)
        point = Checkpoint(**{label: content[label] for label in LABELS})
        point.instant.isoformat()
    except (ValueError, KeyError, TypeError) as failure:
        raise NotOurs("It is no checkpoint of an audit log.") from failure
    if not any(k.verifies(signature, statement.encode()) for k in keys.values()):
        raise NotOurs(
            "Its signature is not by a key of this installation: it was changed, or is"
            " another installation's."
        )
    return point


def newest_checkpoint(
    chain: str, keys: dict[str, PublicKey], *, before: dt.datetime | None = None
) -> tuple[Checkpoint, bytes] | None:
    """The largest checkpoint of a chain in any place, and its file; None without one.

    `before`: made before that instant. Raises NotOurs for a file that was changed,
    StoreUnreachable.
    """
    best: tuple[Checkpoint, bytes] | None = None
    for place in places():
        for data in place.newest_first(chain):
            point = read_checkpoint(data, keys)
            if before is not None and point.instant >= before:
                continue
            if best is None or point.size > best[0].size:
                best = point, data
            break
    return best


def contradiction(point: Checkpoint) -> str:
    """How the log differs from a checkpoint of it, as a sentence; empty: it does not.

    Raises NotOurs for one of another installation.
    """
    if point.installation and point.installation != installation():
        raise NotOurs(
            "The checkpoint is of another installation, or the log of this one was"
            " written anew from its first event."
        )
    head = _hash_of(point.chain, point.size)
    if not head:
        newest = _newest(point.chain)
        kept = newest.seq if newest else 0
        return (
            f"the tail was cut: it ends at event {kept}, and had {point.size} at"
            f" {point.at}"
        )
    if head != point.head:
        return f"event {point.size} is not the one that was there at {point.at}"
    return ""


def write_checkpoints() -> int:
    """Write one for each chain that has grown; returns how many.

    A chain that contradicts its newest checkpoint gets none, and an error in the log.
    Raises TransitionNotAllowed while another process does this.
    """
    with exclusive_lock(CHECKPOINTING):
        return sum(_write(chain) for chain in chains())


def _write(chain: str) -> bool:
    newest = _newest(chain)
    if newest is None:
        return False
    try:
        before = newest_checkpoint(chain, known_keys())
        wrong = contradiction(before[0]) if before else ""
    except (NotOurs, StoreUnreachable) as refusal:
        log.error("No checkpoint of chain %s: %s", chain, " ".join(refusal.messages))
        return False
    if wrong:
        log.error("The audit log was tampered with: chain %s: %s", chain, wrong)
        return False
    if before and before[0].size == newest.seq:
        return False
    previous = before[0].statement.encode() if before else b""
    point = Checkpoint(
        chain,
        newest.seq,
        bytes(newest.hash).hex(),
        knowledge_now().astimezone(dt.UTC).isoformat(),
        installation(),
        hashlib.sha256(previous).hexdigest() if before else "",
    )
    data = sealed_file(point)
    for place in places():
        _keep(place, point, data)
    return True


def sealed_file(point: Checkpoint) -> bytes:
    """The file of a checkpoint: statement, public key and signature as JSON."""
    key = signing_key()
    return (
        json.dumps(
            {
                "statement": point.statement,
                "public_key": key.public.pem,
                "signature": key.sign(point.statement.encode()).hex(),
            },
            indent=2,
        ).encode()
        + b"\n"
    )


def _keep(place: CheckpointPlace, point: Checkpoint, data: bytes) -> None:
    """Write it to one place; another one may still take it."""
    try:
        place.keep(point.chain, point.size, data)
    except (OSError, StoreUnreachable) as failure:
        log.error("A checkpoint of the audit log was not written: %s", failure)


def unproven(chain: str, point: Checkpoint | None) -> Iterator[AuditEvent]:
    """Events that no checkpoint covers yet, oldest first."""
    events = AuditEvent.objects.filter(chain=chain, seq__gt=point.size if point else 0)
    return events.order_by("seq").iterator(chunk_size=100)


def _newest(chain: str) -> AuditEvent | None:
    return AuditEvent.objects.filter(chain=chain).order_by("-seq").first()


def _hash_of(chain: str, seq: int) -> str:
    """The hash of one event in hex; empty where there is none."""
    hashes = AuditEvent.objects.filter(chain=chain, seq=seq).values_list("hash")
    return next((bytes(row[0]).hex() for row in hashes), "")
