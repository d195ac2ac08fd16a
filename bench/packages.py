"""The evidence package of a large system: seconds, processor, largest memory.

    python -m srm_project.local with -m bench.packages
    python -m srm_project.local with -m bench.packages --rows 2000 --megabytes 400

Each piece of evidence gets bytes of its own. The package is written by a process of its
own from one snapshot into a file, and, alternately, the same files are read, hashed and
written once by another; what is counted begins when Django is ready. The best of some
runs, since others use the machine. Beside the whole, how long the files in it took.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.usage import largest_memory, processor_used

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
PIECE, ROWS, MEGABYTES, TIMES = 1 << 20, 10_000, 2_000, 3
Figures = dict[str, float]


def main() -> None:
    """Make the system, write its package, copy its files, verify it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--baseline", default="fedramp-high")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--days-ago", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--copy", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one or options.copy:
        _set_up()
        made = (
            _package(Path(options.one), options.days_ago)
            if options.one
            else _plain_copy(Path(options.copy))
        )
        print(json.dumps(made))
        return
    os.environ["SRM_ROLE"] = "owner"  # the past is built by the owner
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EVIDENCE_STORE"] = f"{folder}/store"
        for command in ("migrate", "load_reference"):
            subprocess.run(
                [sys.executable, "manage.py", command, "-v", "0"],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        _set_up()
        from bench.company import Company

        Company(1, options.baseline).grow(options.rows)
        give_bytes(options.megabytes * 1_000_000 // options.rows)
        compare(Path(folder), options.times, options.days_ago)


def compare(folder: Path, times: int, days_ago: int = 0) -> None:
    """Package and plain copy, one after the other, some times; then verify it."""
    package, copy = folder / "package.zip", folder / "copy"
    runs = [
        (
            _in_own_process("--one", package, "--days-ago", days_ago),
            _in_own_process("--copy", copy),
        )
        for _ in range(times)
    ]
    made, plain = (_best(figures) for figures in zip(*runs, strict=True))
    print(f"load {os.getloadavg()[0]:.1f}")
    print(
        f"package: {made['seconds']:.2f} s, {made['processor']:.2f} s of processor,"
        f" {made['memory']:.0f} MB at most; {made['size'] / 1e6:.1f} MB"
    )
    print(
        f"of that, files of evidence: {made['files']:.2f} s,"
        f" {made['files_processor']:.2f} s of processor"
    )
    print(
        f"hashed and written once: {plain['seconds']:.2f} s,"
        f" {plain['processor']:.2f} s of processor; {plain['size'] / 1e6:.1f} MB"
    )
    _verify(package)


def _in_own_process(*arguments: object) -> Figures:
    command = [sys.executable, "-m", "bench.packages", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _best(runs: tuple[Figures, ...]) -> Figures:
    return {name: min(run[name] for run in runs) for name in runs[0]}


def _set_up() -> None:
    import django

    django.setup()


def give_bytes(size: int) -> None:
    """Random bytes for each blob, which until now is a row alone."""
    from django.db import connection, transaction

    from evidence.models import Blob
    from evidence.storage import open_store

    store, blobs = open_store(), list(Blob.objects.order_by("pk"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE evidence_blob DISABLE TRIGGER USER")
        for blob in blobs:
            kept = store.put([os.urandom(size)], limit=size)
            blob.sha256, blob.size_bytes = kept.sha256, size
        Blob.objects.bulk_update(blobs, ["sha256", "size_bytes"], batch_size=1_000)
        cursor.execute("ALTER TABLE evidence_blob ENABLE TRIGGER USER")


def _package(target: Path, days_ago: int) -> Figures:
    """Write the package once."""
    from controls.models import System
    from evidence.exports.files import write_durably
    from evidence.exports.formats import FORMATS
    from evidence.exports.package.files import Files
    from evidence.exports.rows.scope import no_progress, one_snapshot, scope_of
    from evidence.status.control_status import today_of

    spent = {"files": 0.0, "files_processor": 0.0}
    put: Any = Files._put

    def timed(*arguments: object) -> object:
        started, cpu = time.perf_counter(), time.process_time()
        placed = put(*arguments)
        spent["files"] += time.perf_counter() - started
        spent["files_processor"] += time.process_time() - cpu
        return placed

    Files._put = timed  # type: ignore[assignment,method-assign]
    system = System.objects.latest("pk")
    day = today_of(system) - dt.timedelta(days=days_ago)
    scope = scope_of(system, day, None, None)
    write = FORMATS["package"].write
    started, cpu = time.perf_counter(), processor_used()
    with one_snapshot():
        _, size = write_durably(target, lambda file: write(scope, file, no_progress))
    return {
        "seconds": time.perf_counter() - started,
        "processor": processor_used() - cpu,
        "memory": largest_memory(),
        "size": size,
        **spent,
    }


def _plain_copy(target: Path) -> Figures:
    """Read and hash the same files, and write them once."""
    from evidence.models import Blob
    from evidence.storage import open_store

    store, digests = open_store(), Blob.objects.values_list("sha256", flat=True)
    started, cpu = time.perf_counter(), time.process_time()
    with target.open("wb") as copy:
        for sha256 in digests.order_by("pk"):
            digest = hashlib.sha256()
            with store.open(sha256) as body:
                while piece := body.read(PIECE):
                    digest.update(piece)
                    copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
        size = copy.tell()
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    return {"seconds": seconds, "processor": used, "size": size}


def _verify(target: Path) -> None:
    from evidence.exports.package import verify

    command = [sys.executable, "-I", verify.__file__, str(target)]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    print(f"verify.py: {seconds:.2f} s: {done.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    main()
