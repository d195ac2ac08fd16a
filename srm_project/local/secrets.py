"""Keys and passwords, generated once and readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets as random
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Secrets:
    """What protects one installation."""

    secret_key: str
    superuser_password: str
    owner_password: str
    app_password: str
    broker_password: str


def load(path: Path) -> Secrets:
    """The secrets in `path`, generated first when there are none."""
    if not path.exists():
        _write_once(path, _generate())
    return Secrets(**json.loads(path.read_text()))


def without_password(url: str) -> str:
    """The same address, naming the user only."""
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}@{place}" if name else place))


def _generate() -> Secrets:
    return Secrets(
        random.token_urlsafe(50), *(random.token_urlsafe(24) for _ in "1234")
    )


def _write_once(path: Path, made: Secrets) -> None:
    """Two starts at the same moment agree on the first one's secrets."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w"
    ) as f:
        json.dump(asdict(made), f)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
