"""How far the audit log was verified: kept in a signed file, so that a run that was
stopped goes on where it was.

The file says of each chain up to which event it verified and that event's hash. It is
signed with the key of this installation, so nobody else can say that a part was read.
Source: AU-03 of the requirements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from controls.history.chain import Position
from evidence.signing.checkpoints import NotOurs, installation
from evidence.signing.keys import PublicKey, signing_key, write_for_its_owner

KIND = "srm audit positions 1"
MAX_BYTES = 20_000_000


class Positions:
    """What is verified so far, by chain, since the instant at which reading began."""

    def __init__(self, path: Path, began: str) -> None:
        self.path, self.began = path, began
        self._by_chain: dict[str, Position] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_chain)

    def of(self, chain: str) -> Position | None:
        """Where to go on in a chain; None: at its first event."""
        return self._by_chain.get(chain)

    def note(self, position: Position) -> None:
        """A chain verifies up to there. Nothing is written yet."""
        self._by_chain[position.chain] = position

    def keep(self) -> None:
        """Write the file, whole or not at all. Raises OSError, KeyUnusable."""
        chains = {p.chain: [p.seq, p.hash] for p in self._by_chain.values()}
        content = {
            "began": self.began,
            "chains": chains,
            "installation": installation(),
            "kind": KIND,
        }
        statement = json.dumps(content, sort_keys=True, separators=(",", ":"))
        signature = signing_key().sign(statement.encode()).hex()
        sealed = {"statement": statement, "signature": signature}
        write_for_its_owner(
            self.path, [json.dumps(sealed, indent=2).encode(), b"\n"], replace=True
        )

    def forget(self) -> None:
        """Everything was read: the next run begins with the first event."""
        self.path.unlink(missing_ok=True)


def kept_positions(path: Path, keys: dict[str, PublicKey], began: str) -> Positions:
    """What a file says, or nothing verified yet where there is none.

    `began` is the instant of this run. Raises NotOurs for a file that was changed or
    is another installation's, OSError.
    """
    if not path.exists():
        return Positions(path, began)
    with path.open("rb") as file:
        data = file.read(MAX_BYTES)
    try:
        sealed = json.loads(data)
        statement, signature = sealed["statement"], bytes.fromhex(sealed["signature"])
        content = json.loads(statement)
        positions = Positions(path, str(content["began"]))
        for chain, (seq, hash_) in content["chains"].items():
            positions.note(Position(chain, int(seq), bytes.fromhex(hash_).hex()))
        kind, of_which = content["kind"], content["installation"]
    except (ValueError, KeyError, TypeError, AttributeError) as failure:
        raise NotOurs(
            f"{path} does not say how far an audit log was read."
        ) from failure
    if not any(k.verifies(signature, statement.encode()) for k in keys.values()):
        raise NotOurs(
            f"{path}: its signature is not by a key of this installation. Begin anew"
            " with another name."
        )
    if kind != KIND or of_which not in ("", installation()):
        raise NotOurs(
            f"{path} is of another installation. Begin anew with another name."
        )
    return positions
