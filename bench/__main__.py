"""Builds a system with many links as the owner role and times the main questions."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

# The past is built by the owner, whose clock may be set; measuring needs no other.
os.environ["SRM_ROLE"] = "owner"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ |= {"TEAM_BYTES_PER_DAY": str(10**12), "TEAM_FILES_PER_DAY": str(10**6)}

LINKS = 100_000
FEW_LINKS = 10_000


def timed(what: str, act: Callable[[], object], *, times: int = 15) -> None:
    """Print the median and the slowest of some runs, in milliseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
    middle = statistics.median(taken)
    line = f"{what:<58} p50 {middle:8.1f} ms   max {max(taken):8.1f} ms"
    print(line, flush=True)


def main() -> None:
    """Migrate an empty database, load facts, build, measure."""
    for command in ("migrate", "load_reference"):
        subprocess.run([sys.executable, "manage.py", command, "-v", "0"], check=True)
    import django

    django.setup()
    from bench.measuring import measure

    measure(timed, links=LINKS, few=FEW_LINKS)


main()
