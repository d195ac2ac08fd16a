"""Builds a system with many links as the owner role and times the main questions.

python -m srm_project.local with -m bench            all, some ten minutes
python -m srm_project.local with -m bench --quick    without 100,000 links and uploads
"""

from __future__ import annotations

import argparse
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
    """Print the median and the slowest of some runs, in milliseconds, and how long this
    process was at work in the middle one: others on the machine make that no longer."""
    from srm_project.frames import with_room

    taken, at_work = [], []
    run = with_room(lambda *_: act())  # as the web server answers
    for _ in range(times):
        start, used = time.perf_counter(), time.process_time()
        run(None, None)
        at_work.append((time.process_time() - used) * 1000)
        taken.append((time.perf_counter() - start) * 1000)
    middle, work = statistics.median(taken), statistics.median(at_work)
    line = f"{what:<58} p50 {middle:8.1f} ms   max {max(taken):8.1f} ms"
    print(f"{line}   processor {work:8.1f} ms", flush=True)


def main() -> None:
    """Migrate an empty database, load facts, build, measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small histories only")
    options = parser.parse_args()
    for command in ("migrate", "load_reference"):
        subprocess.run([sys.executable, "manage.py", command, "-v", "0"], check=True)
    import django

    django.setup()
    import srm_project.wsgi  # noqa: F401 - collections of garbage as in a web process
    from bench.measuring import measure

    measure(timed, links=0 if options.quick else LINKS, few=FEW_LINKS)


main()
