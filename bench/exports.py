"""Each format of a large system: seconds, seconds of CPU, largest memory, size.

    python -m srm_project.local with -m bench.exports
    python -m srm_project.local with -m bench.exports --baseline nist-all --rows 10000
    python -m srm_project.local with -m bench.exports --days-ago 365

Each is written by a process of its own, from one snapshot into a file; what is counted
begins when Django is ready. With `--days-ago` they are about an earlier day, with
what is known now. The best of some runs, since others use the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import subprocess
import sys
import tempfile
import time

from bench.usage import largest_memory, processor_used

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
ROWS, TIMES = 10_000, 3


def main() -> None:
    """Make the system and its rows, then measure each format."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", default="fedramp-high")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--formats", nargs="+", metavar="NAME", help="these only")
    parser.add_argument("--days-ago", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _measure(options.one, options.days_ago)
        return
    os.environ["SRM_ROLE"] = "owner"  # the past is built by the owner
    for command in ("migrate", "load_reference"):
        subprocess.run([sys.executable, "manage.py", command, "-v", "0"], check=True)
    import django

    django.setup()
    from bench.company import Company

    company = Company(1, options.baseline)
    company.grow(options.rows)
    print(f"{options.baseline}, {options.rows:,} rows, {options.days_ago} days ago")
    report(options.formats, options.times, options.days_ago)


def report(names: list[str] | None, times: int, days_ago: int) -> None:
    """Measure each format and print a line of it."""
    from evidence.exports.formats import FORMATS

    print(f"load {os.getloadavg()[0]:.1f}")
    print(f"{'format':<26}{'s':>8}{'s of CPU':>10}{'MB':>7}{'kB of file':>12}")
    # The package needs files: bench/packages.py; a plan of action needs findings.
    formats = [name for name in FORMATS if name not in {"package", "oscal-poam"}]
    ago = ["--days-ago", str(days_ago)]
    for name in names or formats:
        command = [sys.executable, "-m", "bench.exports", "--one", name, *ago]
        runs = [
            subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            for _ in range(times)
        ]
        figures = [[float(figure) for figure in run.split()] for run in runs]
        seconds, cpu, megabytes, size = (
            min(column) for column in zip(*figures, strict=True)
        )
        print(f"{name:<26}{seconds:>8.2f}{cpu:>10.2f}{megabytes:>7.0f}{size:>12,.0f}")
    print(f"load {os.getloadavg()[0]:.1f}")


def _measure(name: str, days_ago: int) -> None:
    """Write the file of one format once; print what it took."""
    import django

    django.setup()
    from controls.models import System
    from evidence.exports.formats import FORMATS
    from evidence.exports.rows.scope import no_progress, one_snapshot, scope_of
    from evidence.status.control_status import today_of

    system = System.objects.latest("pk")
    day = today_of(system) - dt.timedelta(days=days_ago)
    scope = scope_of(system, day, None, None)
    started, cpu = time.perf_counter(), processor_used()
    with tempfile.TemporaryFile() as file:
        with one_snapshot():
            FORMATS[name].write(scope, _Written(file), no_progress)  # type: ignore[arg-type]
        seconds, used = time.perf_counter() - started, processor_used() - cpu
        size = file.seek(0, os.SEEK_END)
    megabytes = largest_memory()
    print(seconds, used, megabytes, size / 1000)


class _Written:
    """A file that is only written, as those of exports are."""

    def __init__(self, file: object) -> None:
        self.write = file.write  # type: ignore[attr-defined]
        self.flush = file.flush  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
