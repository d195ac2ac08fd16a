"""The audit log: time to verify a long chain, and events that writers append a second.

    python -m srm_project.local with -m bench.audit_log
    python -m srm_project.local with -m bench.audit_log --events 100000 --writers 8

Two chains: one of `--events` events, written by COPY with right hashes and verified by
`manage.py audit_verify` in a process of its own; one on which `--writers` processes
append at the same time, each event a transaction of its own, for `--seconds`.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import time
import uuid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("LOG_LEVEL", "WARNING")
EVENTS, WRITERS, SECONDS = 1_000_000, 8, 15
FIRST = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
LONG, CONTENDED = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def main() -> None:
    """Write the long chain, verify it; then let the writers append."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--writers", type=int, default=WRITERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(_append_until(options.one))
        return
    os.environ["SRM_ROLE"] = "owner"  # the past is written by the owner
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True)
    import django

    django.setup()
    print(f"load {os.getloadavg()[0]:.1f}")
    _verify(options.events)
    _append(options.writers, options.seconds)
    print(f"load {os.getloadavg()[0]:.1f}")


def _verify(number: int) -> None:
    from bench.chains import copy_events
    from controls.models.audit import Event

    subject = uuid.uuid4()
    event = Event(
        verb="evidence.accepted",
        chain=LONG,
        subject_type="evidence.evidencelink",
        subject_uuid=subject,
        subject_label="Privileged access review",
        body={"revision": 1, "control": "ac-2", "digest": "0" * 64},
    )
    second = dt.timedelta(seconds=1)
    started = time.perf_counter()
    copy_events(LONG, ((event, FIRST + n * second) for n in range(number)))
    print(f"{number:,} events written by COPY: {time.perf_counter() - started:.1f} s")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run([sys.executable, "manage.py", "audit_verify"], check=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"audit_verify: {seconds:.1f} s,"
        f" {after.ru_utime - before.ru_utime:.1f} s of processor,"
        f" {after.ru_maxrss / 1024:.0f} MB at most for any child"
    )


def _append(writers: int, seconds: float) -> None:
    """All begin at the same instant, when each of them has started."""
    begin = time.time() + 3 * writers
    command = [sys.executable, "-m", "bench.audit_log", "--seconds", str(seconds)]
    processes = [
        subprocess.Popen(
            [*command, "--one", str(begin)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(writers)
    ]
    appended = [int(process.communicate()[0]) for process in processes]
    print(
        f"{writers} writers on one chain: {sum(appended) / seconds:.0f} events a"
        f" second; {min(appended)} to {max(appended)} by each in {seconds:.0f} s"
    )
    from controls.history.chain import verify

    print(f"that chain verifies: {'yes' if verify(CONTENDED) is None else 'NO'}")


def _append_until(begin: float) -> int:
    """Append for a while from an instant on; how many events."""
    import django

    django.setup()
    from controls.models import AuditEvent
    from controls.models.audit import Event

    seconds = float(sys.argv[sys.argv.index("--seconds") + 1])
    event = Event(verb="bench.appended", chain=CONTENDED, body={"n": 1})
    time.sleep(max(0.0, begin - time.time()))
    appended = 0
    while time.time() < begin + seconds:
        AuditEvent.objects.append(event)
        appended += 1
    return appended


if __name__ == "__main__":
    main()
