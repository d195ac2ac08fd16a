"""A real PgBouncer in transaction mode, for the story about a pooler in between."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from srm_project.local.accounts import server_account
from tests.seaweed import free_ports

BINARY = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SERVER_CONNECTIONS = 3  # fewer than a web process has threads: they are shared
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
server_reset_query_always = 0
"""


@contextmanager
def pooled() -> Iterator[str]:
    """The address of this test's database through a pooler, as long as it lasts."""
    assert BINARY
    here, (port,) = connection.settings_dict, free_ports(1)
    account = server_account()  # it does not run as root
    folder = Path(tempfile.mkdtemp(prefix="srm-pooler-"))  # not below root's own
    try:
        ini = folder / "pgbouncer.ini"
        ini.touch(mode=0o600)
        ini.write_text(
            CONFIGURATION.format(
                host=here["HOST"],
                port=here["PORT"],
                user=here["USER"],
                password=here["PASSWORD"],
                listens=port,
                size=SERVER_CONNECTIONS,
            )
        )
        for path in (folder, ini):
            account.own(path)
        process = subprocess.Popen(
            [BINARY, "--quiet", str(ini)],
            user=account.uid,
            group=account.gid,
            extra_groups=[] if account.uid is not None else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            yield f"postgresql://{here['USER']}@127.0.0.1:{port}/{here['NAME']}"
        finally:
            process.terminate()
            process.wait()
    finally:
        shutil.rmtree(folder)


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("PgBouncer did not start")
