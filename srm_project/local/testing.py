"""`python -m srm_project.local test`: pytest with servers of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from srm_project.local import secrets
from srm_project.local.instance import base_environment, database_environment
from srm_project.local.paths import PROJECT, State
from srm_project.local.postgres import Postgres
from srm_project.local.valkey import Valkey


@contextlib.contextmanager
def throwaway() -> Iterator[dict[str, str]]:
    """An environment with an empty database and broker that nobody else uses."""
    here = State(Path(tempfile.mkdtemp(prefix="srm-test-"))).prepare()
    kept = secrets.load(here.secrets)
    postgres = Postgres(here, kept, throwaway=True)
    valkey = Valkey(here, kept, throwaway=True)
    try:
        postgres.start()
        valkey.start()
        env = {"BROKER_URL": valkey.url, "SRM_STATE": str(here.root)}
        yield {
            **base_environment(here),
            **database_environment(postgres),
            **env,
            "EVIDENCE_STORE": str(here.evidence),
            "MFA_REQUIRED": "no",
        }
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(here.root, ignore_errors=True)


def run_tests(arguments: Sequence[str]) -> int:
    """Run pytest; its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with throwaway() as env:
        return run(["-m", "pytest", *arguments], env)


def run(command: Sequence[str], env: dict[str, str]) -> int:
    """Run Python in the foreground; Ctrl-C reaches it directly."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=PROJECT, env=dict(os.environ) | env
    )
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
