"""A small OpenID provider: a process of its own, with RSA keys of its own, over HTTP.

`python -m tests.identity_provider PORT`. It signs in whoever `/next` named last,
without a page: `{"claims": {...}, "spoil": "..."}`. Codes count once, with the client's
secret and the verifier of the browser that asked (RFC 7636). `spoil` makes one answer
wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "srm", "a secret of the client"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class State:
    """What the provider knows: whom it signs in next, and which codes it gave out."""

    issuer: str
    key: rsa.RSAPrivateKey = field(default_factory=new_key)
    other_key: rsa.RSAPrivateKey = field(default_factory=new_key)
    claims: dict[str, Any] = field(default_factory=dict)
    spoil: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def id_token(self, nonce: str) -> str:
        """Signed for the client, and wrong in one way if that was asked for."""
        now = int(time.time() + float(os.environ.get("SRM_TEST_CLOCK_SHIFT", "0")))
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        claims |= {
            "issuer": {"iss": "https://elsewhere.example"},
            "audience": {"aud": "another program"},
            "audiences": {"aud": [CLIENT, "another"], "azp": "another"},
            "expired": {"iat": now - 900, "exp": now - 600},
            "nonce": {"nonce": "of another browser"},
        }.get(self.spoil, {})
        if self.spoil == "no nonce":
            del claims["nonce"]
        if self.spoil == "no end":
            del claims["exp"]
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        kid = {"kid": "unknown" if self.spoil == "unknown key" else "first"}
        if self.spoil == "unsigned":
            return jwt.encode(claims, None, algorithm="none", headers=kid)
        if self.spoil == "public key as a secret":
            return signed_with_public_key(self.key, claims, kid)
        key = self.other_key if self.spoil == "another key" else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers=kid)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def encoded(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def signed_with_public_key(
    key: rsa.RSAPrivateKey, claims: dict[str, Any], kid: dict[str, str]
) -> str:
    """HS256 with what everybody knows; PyJWT itself refuses to make it."""
    import hmac

    head = encoded(json.dumps({"alg": "HS256", **kid}).encode())
    signed = f"{head}.{encoded(json.dumps(claims).encode())}"
    digest = hmac.new(pem(key), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(digest)}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    state: State

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self, body: Any, status: int = 200) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/.well-known/openid-configuration":
            base = self.state.issuer
            self.answer(
                {
                    "issuer": base,
                    "authorization_endpoint": f"{base}/authorize",
                    "token_endpoint": f"{base}/token",
                    "userinfo_endpoint": f"{base}/userinfo",
                    "jwks_uri": f"{base}/keys",
                }
            )
        elif parts.path == "/keys":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.state.key.public_key())
            key = json.loads(public) | {"kid": "first", "alg": "RS256", "use": "sig"}
            self.answer({"keys": [key]})
        elif parts.path == "/userinfo":
            subject = self.state.claims["sub"]
            if self.state.spoil == "somebody else":
                subject = "somebody else"
            self.answer({"sub": subject, "groups": self.state.claims.get("groups", [])})
        elif parts.path == "/authorize":
            self.authorize(query)
        else:
            self.answer({"error": "not_found"}, 404)

    def authorize(self, query: dict[str, str]) -> None:
        code = secrets.token_urlsafe(8)
        self.state.codes[code] = query
        back = {"code": code, "state": query["state"]}
        if self.state.spoil == "cancelled":
            back = {"error": "access_denied", "state": query["state"]}
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/next":
            told = json.loads(body)
            self.state.claims, self.state.spoil = told["claims"], told["spoil"]
            self.answer({})
            return
        form = {name: values[0] for name, values in parse_qs(body).items()}
        query = self.state.codes.pop(form.get("code", ""), None)
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if query is None or encoded(verifier) != query.get("code_challenge"):
            self.answer({"error": "invalid_grant"}, 400)
            return
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            self.answer({"error": "invalid_client"}, 401)
            return
        token = {"access_token": "for userinfo", "token_type": "Bearer"}
        if self.state.spoil != "no token":
            token["id_token"] = self.state.id_token(query.get("nonce", ""))
        self.answer(token)


@dataclass(frozen=True)
class IdentityProvider:
    """A running provider, as a test sees it."""

    issuer: str
    process: subprocess.Popen[bytes]

    def signs_in(self, subject: str, spoil: str = "", **claims: Any) -> None:
        """Whom it signs in from now on."""
        told = {"claims": {"sub": subject, **claims}, "spoil": spoil}
        requests.post(f"{self.issuer}/next", json=told, timeout=10).raise_for_status()

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start() -> IdentityProvider:
    """A provider with keys that no other has, once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "tests.identity_provider", str(port)]
    provider = IdentityProvider(f"http://127.0.0.1:{port}", subprocess.Popen(command))
    for _ in range(300):
        try:
            requests.get(f"{provider.issuer}/keys", timeout=10)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    return provider


@pytest.fixture(scope="session")
def started() -> Iterator[list[IdentityProvider]]:
    """Those of this session; they end with it."""
    providers: list[IdentityProvider] = []
    yield providers
    for provider in providers:
        provider.stop()


@pytest.fixture
def identity_provider(started: list[IdentityProvider]) -> IdentityProvider:
    """A provider that runs; another one after a test stopped it."""
    if not started or started[-1].process.poll() is not None:
        started.append(start())
    return started[-1]


def main(port: str) -> None:
    """Serve until killed."""
    Handler.state = State(f"http://127.0.0.1:{port}")
    HTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
