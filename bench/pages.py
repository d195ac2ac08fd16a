"""Pages over HTTP as the history grows: prints the table of docs/performance.md.

    python -m srm_project.local with -m bench.pages --rows 1000
    python -m srm_project.local with -m bench.pages --rows 1000 100000
    python -m srm_project.local with -m bench.pages --systems 200 --rows 500

One system of 1,014 controls has the rows asked for; with `--systems` that many of 370
controls have as many each. Each figure is the median of some answers of a web server as
`make run` starts it, in milliseconds, after two that are not counted; in brackets the
mean time that the web process was at work for it, which other programs on the machine
do not make longer by waiting.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.goals import above, goal_of

# The past is built by the owner, whose clock may be set; the web server is the app.
os.environ["SRM_ROLE"] = "owner"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")

TIMES = 7
ONE, MANY = "nist-all", "nist-high"
PROCESSOR = ", of the web process"
ANEW = ", counted anew"  # pages asked for with nothing kept of earlier ones


def main() -> None:
    """Migrate an empty database, make the rows, measure after each step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1000])
    parser.add_argument("--systems", type=int, default=1)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--keep", type=Path, help="of earlier runs, and for later ones")
    options = parser.parse_args()
    for command in ("migrate", "load_reference"):
        subprocess.run([sys.executable, "manage.py", command, "-v", "0"], check=True)
    import django

    django.setup()
    show = Table(options.keep)
    for size, figures in sizes(options.systems, options.rows, options.times):
        show.add(size, figures)
    show.print()
    sys.exit(show.above_goals())


def sizes(
    systems: int, rows: Sequence[int], times: int
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Each size by its name, with what was measured at it; each grows on the last."""
    from bench.company import Company

    company = Company(systems, ONE if systems == 1 else MANY)
    there = 0
    for size in sorted(rows):
        start = time.perf_counter()
        company.grow(size - there)
        there = size
        made = time.perf_counter() - start
        name = f"{size:,}" if systems == 1 else f"{systems} systems"
        say(f"{size * systems:,} rows made in {made:.0f} s")
        yield name, measured(company, times)


def measured(company: object, times: int) -> Mapping[str, float]:
    """Medians in milliseconds by page, and of the web process in megabytes."""
    from bench.company import Company
    from bench.uploads import Server

    assert isinstance(company, Company)
    figures: dict[str, float] = {}
    server = Server()
    try:
        for page, (cookie, path) in company.pages().items():
            anew = page.endswith(ANEW)
            for _ in range(2):
                _get(server.port, cookie, path)
            before = server.processor_seconds()
            taken = [_get(server.port, cookie, path, anew=anew) for _ in range(times)]
            worked = (server.processor_seconds() - before) / times * 1000
            figures[page] = statistics.median(taken)
            figures[f"{page}{PROCESSOR}"] = worked
            say(f"{page:<40} {figures[page]:8.0f} ms, {worked:.0f} of the web process")
        figures["web process after them, MB"] = server.largest_rss()
    finally:
        server.stop()
    company.gather_notices()  # what is new is written once
    figures["notices run"] = _timed(company.gather_notices)
    return figures


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def _get(port: int, cookie: str, path: str, *, anew: bool = False) -> float:
    """Milliseconds of one answer; `anew`: with nothing kept of earlier ones."""
    if anew:
        from django.core.cache import cache

        cache.clear()  # nobody else uses the broker of this run
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    start = time.perf_counter()
    connection.request("GET", path, headers={"Host": "localhost", "Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    taken = (time.perf_counter() - start) * 1000
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return taken


class Table:
    """Figures by page and size, those of earlier runs first."""

    def __init__(self, kept_in: Path | None = None) -> None:
        self.kept_in = kept_in
        self.columns: dict[str, Mapping[str, float]] = {}
        if kept_in and kept_in.exists():
            self.columns = json.loads(kept_in.read_text())

    def add(self, size: str, figures: Mapping[str, float]) -> None:
        """One more column."""
        self.columns[size] = figures
        if self.kept_in:
            self.kept_in.write_text(json.dumps(self.columns, indent=1))

    def print(self) -> None:
        """Markdown, with the day it was measured; what is above its goal is bold."""
        heads = list(self.columns)
        say(f"\nMeasured {dt.date.today()} on {os.cpu_count()} cores, p50 in ms.\n")
        say(f"| page | {' | '.join(heads)} | goal |")
        say(f"|---|{'---|' * len(heads)}---|")
        names = dict.fromkeys(name for size in heads for name in self.columns[size])
        for name in names:
            if not name.endswith(PROCESSOR):
                cells = (_cell(self.columns[size], name) for size in heads)
                say(f"| {name} | {' | '.join(cells)} | {goal_of(name)} |")

    def above_goals(self) -> int:
        """Name what is above its goal; how a program ends by it."""
        worst = {size: above(figures) for size, figures in self.columns.items()}
        for size, figures in worst.items():
            for name, figure in figures.items():
                say(
                    f"Above its goal at {size}: {name}, {figure:,.0f} > {goal_of(name)}"
                )
        if any(worst.values()):
            return 1
        say("Everything is within its goal.")
        return 0


def _cell(figures: Mapping[str, float], page: str) -> str:
    """`310 (84)`: the answer, and what of it the web process was at work."""
    if page not in figures:
        return ""
    shown = f"{figures[page]:,.0f}"
    if above({page: figures[page]}):
        shown = f"**{shown}**"
    worked = figures.get(f"{page}{PROCESSOR}")
    return shown + ("" if worked is None else f" ({worked:,.0f})")


def say(text: str) -> None:
    """One line for whoever waits."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
