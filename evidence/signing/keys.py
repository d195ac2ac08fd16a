"""The Ed25519 key of this installation, and the public halves of those before it.

A fingerprint is the SHA-256 of the public key as DER (SubjectPublicKeyInfo), in hex:
what `openssl pkey -pubin -outform DER | sha256sum` prints. Source: RE-15, AU-05, AU-09
of the requirements; RFC 8032, RFC 8410.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings
from django.db import transaction

from controls.errors import SrmError, TransitionNotAllowed
from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.storage import work_folder
from evidence.storage.exclusive import ROTATING, exclusive_lock

PRIVATE = "signing-key.pem"  # in the folder of keys
ENDING = ".public.pem"


class KeyUnusable(SrmError):
    """There is a key and it cannot sign; the sentence says where it comes from."""

    status_code = 503


@dataclass(frozen=True)
class PublicKey:
    """The public half: its PEM as people get it, and its fingerprint (hex)."""

    pem: str
    fingerprint: str

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether the signature is this key's over exactly these bytes."""
        key = serialization.load_pem_public_key(self.pem.encode())
        if not isinstance(key, Ed25519PublicKey):
            return False
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """A private key. It is never printed, sent or logged."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = _public(private.public_key())

    def sign(self, data: bytes) -> bytes:
        """64 bytes; the same data gives the same ones."""
        return self._private.sign(data)


def keys_folder() -> Path:
    """Where the private key of our own making and all public halves lie."""
    return work_folder("keys")


def signing_key() -> SigningKey:
    """The key that signs now; made first where there is none. Raises KeyUnusable.

    Two processes at once agree on one. Its public half is kept for later.
    """
    if settings.SIGNING_KEY:
        key = _read(settings.SIGNING_KEY.encode(), "SIGNING_KEY")
    else:
        path = keys_folder() / PRIVATE
        if not path.exists():
            _make(path, replace=False)
        key = _read(path.read_bytes(), str(path))
    _keep(key.public)
    return key


def known_keys() -> dict[str, PublicKey]:
    """Public halves of all keys that signed here, by fingerprint, today's included."""
    keys = [signing_key().public]
    for path in keys_folder().glob(f"*{ENDING}"):
        with suppress(ValueError, UnsupportedAlgorithm):
            loaded = serialization.load_pem_public_key(path.read_bytes())
            if isinstance(loaded, Ed25519PublicKey):
                keys.append(_public(loaded))
    return {key.fingerprint: key for key in keys}


def rotate() -> PublicKey:
    """Make a new key that signs from now on; the old private half is gone for good.

    What the old one signed still verifies. Raises TransitionNotAllowed where the key
    comes from the environment: it is changed there.
    """
    if settings.SIGNING_KEY:
        raise TransitionNotAllowed(
            "The key comes from SIGNING_KEY: put another one there and start again."
            " The public half of this one stays, so its signatures still verify."
        )
    with exclusive_lock(ROTATING):
        before = signing_key().public
        _make(keys_folder() / PRIVATE, replace=True)
        after = signing_key().public
        with transaction.atomic():
            AuditEvent.objects.append(
                Event(
                    "signing_key.rotated",
                    body={"from": before.fingerprint, "to": after.fingerprint},
                )
            )
    return after


def fingerprint_shown() -> str:
    """Today's fingerprint in groups, for pages; empty while there is no usable key."""
    try:
        return in_groups(signing_key().public.fingerprint)
    except (KeyUnusable, OSError):
        return ""


def in_groups(fingerprint: str) -> str:
    """A fingerprint as people compare it: groups of eight."""
    return " ".join(fingerprint[at : at + 8] for at in range(0, len(fingerprint), 8))


def _public(key: Ed25519PublicKey) -> PublicKey:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_bytes(serialization.Encoding.PEM, spki).decode()
    der = key.public_bytes(serialization.Encoding.DER, spki)
    return PublicKey(pem, hashlib.sha256(der).hexdigest())


def _read(pem: bytes, source: str) -> SigningKey:
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as failure:
        raise KeyUnusable(f"{source} holds no private key in PEM.") from failure
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyUnusable(f"{source} holds another kind of key than Ed25519.")
    return SigningKey(private)


def _make(path: Path, *, replace: bool) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_for_its_owner(path, [pem], replace=replace)


def _keep(public: PublicKey) -> None:
    path = keys_folder() / f"{public.fingerprint}{ENDING}"
    if not path.exists():
        write_for_its_owner(path, [public.pem.encode()], replace=False)


def write_for_its_owner(path: Path, pieces: Iterable[bytes], *, replace: bool) -> None:
    """Write a file for its owner alone, whole or not at all, and make it durable.

    Without `replace` one that is there already stays.
    """
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
