"""Show the key that signs packages and checkpoints, or make a new one."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from evidence.signing.keys import PublicKey, known_keys, rotate, signing_key


class Command(BaseCommand):
    """The public half and its fingerprint; the private half is never shown.

    Exit 1 where there is a key and it cannot be used, or not rotated.
    """

    help = "Show the public signing key and its fingerprint; --rotate makes a new one."

    def add_arguments(self, parser: CommandParser) -> None:
        """--rotate, --all and --json."""
        parser.add_argument(
            "--rotate", action="store_true", help="sign with a new key from now on"
        )
        parser.add_argument(
            "--all", action="store_true", help="also keys that signed before"
        )
        parser.add_argument("--json", action="store_true", help="one object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate where that is asked for, then print."""
        try:
            current = rotate() if options["rotate"] else signing_key().public
            others = known_keys() if options["all"] else {}
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        earlier = [key for name, key in others.items() if name != current.fingerprint]
        if options["json"]:
            self.stdout.write(json.dumps(_as_data(current, earlier)))
            return
        for key in (current, *earlier):
            label = "signs now" if key is current else "signed before"
            self.stdout.write(f"{key.fingerprint}  {label}\n{key.pem}")


def _as_data(current: PublicKey, earlier: list[PublicKey]) -> dict[str, Any]:
    shown = [{"fingerprint": key.fingerprint, "pem": key.pem} for key in earlier]
    return {"fingerprint": current.fingerprint, "pem": current.pem, "earlier": shown}
