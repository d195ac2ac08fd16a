"""The evidence package of the demo system: seconds, largest memory, time to verify.

    python -m srm_project.local with -m bench.packages
    python -m srm_project.local with -m bench.packages --megabytes 500

Written by a process of its own from one snapshot into a file; what is counted begins
when Django is ready. `--megabytes` adds files of 5 MB to one piece of evidence, and
compares with hashing the same bytes and writing them once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
FILE_BYTES, PIECE = 5_000_000, 1 << 20
SYSTEM = "payments"


def main() -> None:
    """Load the demo, write its package, verify it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=0)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _measure(Path(options.one))
        return
    os.environ["SRM_ROLE"] = "owner"  # the past is built by the owner
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EVIDENCE_STORE"] = f"{folder}/store"
        for command in ("migrate", "load_reference", "load_demo"):
            subprocess.run(
                [sys.executable, "manage.py", command, "-v", "0"],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        import django

        django.setup()
        digests = _add_files(options.megabytes * 1_000_000 // FILE_BYTES)
        target = Path(folder) / "package.zip"
        print(f"load {os.getloadavg()[0]:.1f}")
        subprocess.run(
            [sys.executable, "-m", "bench.packages", "--one", str(target)], check=True
        )
        _verify(target)
        if digests:
            _plain_copy(digests, Path(folder) / "copy")


def _add_files(number: int) -> list[str]:
    """So many files of random bytes on the newest accepted evidence; their digests."""
    from evidence.models import Blob, EvidenceFile, EvidenceLink
    from evidence.storage import open_store

    if not number:
        return []
    links = EvidenceLink.objects.filter(system__slug=SYSTEM, state="accepted")
    link, store = links.order_by("proves_from", "pk").last(), open_store()
    assert link is not None
    kept = [
        store.put([os.urandom(FILE_BYTES)], limit=PIECE * 10) for _ in range(number)
    ]
    blobs = Blob.objects.bulk_create(
        Blob(sha256=one.sha256, size_bytes=FILE_BYTES, media_type="text/plain")
        for one in kept
    )
    EvidenceFile.objects.bulk_create(
        EvidenceFile(revision=link.revision, blob=blob, name=f"{n}.txt", position=n)
        for n, blob in enumerate(blobs, 100)
    )
    return [one.sha256 for one in kept]


def _measure(target: Path) -> None:
    """Write the package once; print what it took."""
    import django

    django.setup()
    from controls.models import System
    from evidence.exports.files import write_durably
    from evidence.exports.formats import FORMATS
    from evidence.exports.rows.scope import no_progress, one_snapshot, scope_of
    from evidence.status.control_status import today_of

    system = System.objects.get(slug=SYSTEM)
    scope = scope_of(system, today_of(system), None, None)
    write = FORMATS["package"].write
    started, cpu = time.perf_counter(), time.process_time()
    with one_snapshot():
        _, size = write_durably(target, lambda file: write(scope, file, no_progress))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"package: {seconds:.2f} s, {used:.2f} s of CPU, {megabytes:.0f} MB at most,"
        f" {size / 1e6:.1f} MB of the file"
    )


def _verify(target: Path) -> None:
    from evidence.exports.package import verify

    command = [sys.executable, "-I", verify.__file__, str(target)]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    print(f"verify.py: {seconds:.2f} s: {done.stdout.splitlines()[-1]}")


def _plain_copy(digests: list[str], target: Path) -> None:
    """Read and hash the same files, and write them once."""
    from evidence.storage import open_store

    store, started = open_store(), time.perf_counter()
    with target.open("wb") as copy:
        for sha256 in digests:
            digest = hashlib.sha256()
            with store.open(sha256) as body:
                while piece := body.read(PIECE):
                    digest.update(piece)
                    copy.write(piece)
        copy.flush()
        os.fsync(copy.fileno())
    print(f"hashed and written once: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
