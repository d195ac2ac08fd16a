"""What the checks of an upload cost: processor time with and without them, in one run.

`python -m srm_project.local with -m bench.upload_cost`; also a part of `make bench`.
Exits with 1 where the checks cost more than MAX_COST_MS.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controls.models import System, User

MAX_COST_MS = 3.0  # of processor, for an upload of 100 kB
SIZE, UPLOADS, ROUNDS = 100_000, 50, 4
UNCHECKED = "bench.unchecked:application"
TICKS = os.sysconf("SC_CLK_TCK")  # a second


def processor_seconds(root: int) -> float:
    """What a process, all that descend from it, and all they waited for have used."""
    children: dict[int, list[int]] = defaultdict(list)
    used: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile; its parent has its time
                continue
            children[int(fields[1])].append(int(folder.name))
            used[int(folder.name)] = sum(map(int, fields[11:15])) / TICKS
    total, left = 0.0, [root]
    while left:
        process = left.pop()
        total += used.get(process, 0.0)
        left += children[process]
    return total


def measure_upload_cost(
    system: System, by: User, day: str, show: Callable[[str], None]
) -> bool:
    """Print milliseconds of processor of one upload with the checks apart, in the web
    process, and without any; whether the bar holds.

    One client; the servers take turns, so that what else the machine does falls on all.
    """
    from bench.uploads import Server, body_of, form_head, session_of, upload

    requirement = system.requirements.first()
    path = f"/systems/{system.slug}/requirements/{requirement.uuid}/upload/"
    cookie, head = session_of(by), form_head(system, day)
    servers = {
        "apart": Server(),
        "here": Server(UNCHECKED, BENCH_CHECKS="here"),
        "none": Server(UNCHECKED, BENCH_CHECKS="none"),
    }
    used: dict[str, float] = defaultdict(float)
    try:
        for number in range(ROUNDS + 1):  # the first round only warms
            for name, server in servers.items():
                before = processor_seconds(server.process.pid)
                for _ in range(UPLOADS):
                    status = upload(server.port, path, cookie, head, body_of(SIZE))
                    assert status == 302, status
                if number:
                    used[name] += processor_seconds(server.process.pid) - before
    finally:
        for server in servers.values():
            server.stop()
    cost = {name: used[name] * 1000 / (UPLOADS * ROUNDS) for name in servers}
    more, moved = cost["apart"] - cost["none"], cost["apart"] - cost["here"]
    good = more <= MAX_COST_MS
    show(
        f"processor for an upload of 100 kB: {cost['apart']:.1f} ms; without checks"
        f" {cost['none']:.1f}, so they cost {more:.1f} ms (bar {MAX_COST_MS:.0f}:"
        f" {'met' if good else 'NOT MET'}), {moved:.1f} of it for running apart"
    )
    return good


def main() -> int:
    """Migrate an empty database, build a small company, measure; the exit code."""
    import datetime as dt

    for command in ("migrate", "load_reference"):
        subprocess.run(
            [sys.executable, "manage.py", command, "-v", "0"],
            check=True,
            env=os.environ | {"SRM_ROLE": "owner"},
        )
    import django

    django.setup()
    from tests.evidence import house as houses

    now = dt.datetime.now(dt.UTC)
    houses.BEGINS, houses.TODAY = now, now.date()
    house = houses.build()
    house.requirement()
    day = now.date().isoformat()
    return 0 if measure_upload_cost(house.system, house.alice, day, print) else 1


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ |= {"TEAM_BYTES_PER_DAY": str(10**12), "TEAM_FILES_PER_DAY": str(10**6)}
    sys.exit(main())
