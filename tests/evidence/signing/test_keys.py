"""RE-15: the signing key is made once, kept from others, and rotated without loss."""

from __future__ import annotations

import json
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.core.management import CommandError, call_command

from controls.models import AuditEvent
from evidence.signing import keys
from evidence.storage import open_store

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def store(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path / "store")
    settings.SIGNING_KEY = ""
    return tmp_path / "store"


def pem_of(private) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_it_is_made_once_for_its_owner_alone(store) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: keys.signing_key().public, range(8)))
    assert len({key.fingerprint for key in made}) == 1
    path = store / "keys" / "signing-key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(list(path.parent.iterdir())) == 2  # and its public half
    assert list(open_store().everything()) == []  # nothing that fsck would wonder at


def test_rotated_twice_what_the_first_one_signed_still_verifies() -> None:
    first = keys.signing_key()
    signature = first.sign(b"of last year")
    second, third = keys.rotate(), keys.rotate()
    assert keys.signing_key().public == third
    known = keys.known_keys()
    assert set(known) == {
        first.public.fingerprint, second.fingerprint, third.fingerprint
    }  # fmt: skip
    assert known[first.public.fingerprint].verifies(signature, b"of last year")
    assert not known[first.public.fingerprint].verifies(signature, b"of last yeaR")
    assert not third.verifies(signature, b"of last year")
    event = AuditEvent.objects.filter(verb="signing_key.rotated").latest("seq")
    body = json.loads(event.body)
    assert (body["from"], body["to"]) == (second.fingerprint, third.fingerprint)


def test_one_from_the_environment_signs_and_is_changed_there(settings, store) -> None:
    given = ed25519.Ed25519PrivateKey.generate()
    settings.SIGNING_KEY = pem_of(given)
    before = keys.signing_key()
    assert not (store / "keys" / "signing-key.pem").exists()
    with pytest.raises(CommandError, match="put another one there"):
        call_command("signing_key", "--rotate")
    settings.SIGNING_KEY = pem_of(ed25519.Ed25519PrivateKey.generate())
    assert before.public.fingerprint in keys.known_keys()
    assert keys.signing_key().public.fingerprint != before.public.fingerprint


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        ("nothing", "SIGNING_KEY holds no private key in PEM."),
        (
            pem_of(ec.generate_private_key(ec.SECP256R1())),
            "SIGNING_KEY holds another kind of key than Ed25519.",
        ),
    ],
)
def test_what_cannot_sign_is_named(settings, pem, sentence) -> None:
    settings.SIGNING_KEY = pem
    with pytest.raises(CommandError) as refusal:
        call_command("signing_key")
    assert str(refusal.value) == sentence


def test_its_fingerprint_is_what_openssl_says(capsys, tmp_path) -> None:
    call_command("signing_key", "--json")
    shown = json.loads(capsys.readouterr().out)
    path = tmp_path / "key.pem"
    path.write_text(shown["pem"])
    command = f"openssl pkey -pubin -in {path} -outform DER | sha256sum"
    said = subprocess.run(
        command, shell=True, check=True, capture_output=True, text=True
    )
    assert said.stdout.split()[0] == shown["fingerprint"]
    call_command("signing_key", "--rotate")
    assert "PRIVATE" not in capsys.readouterr().out
    call_command("signing_key", "--all")
    assert f"{shown['fingerprint']}  signed before" in capsys.readouterr().out
