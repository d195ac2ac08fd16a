"""Afterwards: everything that was acknowledged is there once, with its bytes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import urllib3

from bench.chaos.clients import Book
from bench.chaos.instance import Instance
from bench.chaos.parts import all_run
from srm_project.local.paths import PROJECT

Row = tuple[str, str]  # what was looked at, what came of it
CALM_SECONDS = 180


def wait_for_calm(instance: Instance) -> float:
    """Return once everything runs and every export ended; the seconds that took."""
    assert instance.process is not None
    began = time.monotonic()
    while time.monotonic() - began < CALM_SECONDS:
        if all_run(instance.process.pid) and _ready(instance) and not _unfinished():
            break
        time.sleep(1)
    return time.monotonic() - began


def _ready(instance: Instance) -> bool:
    try:
        url = f"{instance.url}/readyz"
        answer = urllib3.request("GET", url, retries=False, timeout=10)
        return answer.status == 200 and answer.json()["broker"]
    except urllib3.exceptions.HTTPError:
        return False


def _unfinished() -> int:
    from django.db import DatabaseError, connections

    from evidence.exports.jobs import EXPORTS

    try:
        return EXPORTS.unfinished().count()
    except DatabaseError:
        connections.close_all()
        return 1


def outcome(instance: Instance, book: Book) -> list[Row]:
    """One row for each promise; each says what is wrong, or how many were looked at."""
    return [
        ("acknowledged uploads, with their bytes", _uploads(book)),
        ("acknowledged submissions", _submissions(book)),
        ("acknowledged reviews", _reviews(book)),
        ("acknowledged exports, with their bytes", _exports(instance, book)),
        ("nothing doubled", _doubled(book)),
        ("nothing half", _half()),
        ("verify_audit_log", _command(instance, "verify_audit_log")),
        ("evidence_fsck", _command(instance, "evidence_fsck", "--all-ages")),
    ]


def _verdict(wrong: Iterable[str], seen: int) -> str:
    several = list(wrong)
    if not several:
        return f"{seen}, all right"
    return f"WRONG {len(several)} of {seen}: {'; '.join(several[:5])}"


def _uploads(book: Book) -> str:
    from evidence.models import EvidenceLink
    from evidence.storage import open_store

    store, wrong = open_store(), []
    links = EvidenceLink.objects.select_related("revision").in_bulk(
        [uploaded.link for uploaded in book.uploads.values()], field_name="uuid"
    )
    by_name = {str(key): link for key, link in links.items()}
    for title, uploaded in book.uploads.items():
        link = by_name.get(uploaded.link)
        if link is None:
            wrong.append(f"{title} is lost")
            continue
        recorded = link.revision.files.get().blob.sha256
        with store.open(recorded) as body:
            lying = hashlib.sha256(body.read()).hexdigest()
        if not recorded == lying == uploaded.sha256:
            wrong.append(f"{title} has other bytes")
    return _verdict(wrong, len(book.uploads))


def _states(names: Iterable[str]) -> dict[str, str]:
    from evidence.models import EvidenceLink

    rows = EvidenceLink.objects.filter(uuid__in=list(names))
    return {str(name): state for name, state in rows.values_list("uuid", "state")}


def _submissions(book: Book) -> str:
    states = _states(book.submitted)
    wrong = [n for n in book.submitted if states.get(n) in {None, "draft"}]
    return _verdict(wrong, len(book.submitted))


def _reviews(book: Book) -> str:
    states = _states(book.reviews)
    wrong = [
        f"{name} is {states.get(name)}"
        for name, state in book.reviews.items()
        if states.get(name) != state
    ]
    return _verdict(wrong, len(book.reviews))


def _exports(instance: Instance, book: Book) -> str:
    from evidence.models import Export

    folder, wrong = instance.store / "exports", []
    rows = {str(export.uuid): export for export in Export.objects.filter(state="done")}
    for name in book.exports:
        if name not in rows:
            left = Export.objects.filter(uuid=name).values("state", "failure")
            wrong.append(f"{name}: {list(left)}")
        elif _digest(folder / rows[name].file_name) != rows[name].sha256:
            wrong.append(f"{name} has other bytes")
    named = {export.file_name for export in rows.values()}
    stray = [path.name for path in folder.iterdir() if path.name not in named]
    verdict = _verdict(wrong, len(book.exports))
    taken = f"{book.downloads} taken meanwhile"
    return f"{verdict}; {taken}; {len(stray)} unnamed files (swept after a day)"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _doubled(book: Book) -> str:
    from evidence.models import EvidenceLink, Export, Review

    titles = Counter(
        EvidenceLink.objects.filter(
            revision__evidence__title__in=book.sent
        ).values_list("revision__evidence__title", flat=True)
    )
    wrong = [f"{title}: {n} links" for title, n in titles.items() if n > 1]
    reviews = Counter(Review.objects.values_list("link__uuid", flat=True))
    wrong += [f"{link}: {n} reviews" for link, n in reviews.items() if n > 1]
    keys = Export.objects.values_list("idempotency_key", flat=True)
    wrong += [key for key, n in Counter(keys).items() if n > 1]
    return _verdict(wrong, len(titles) + len(reviews) + len(keys))


def _half() -> str:
    """Links with their files, events and proof, or none of all that."""
    from controls.models import AuditEvent
    from evidence.models import Blob, Evidence, EvidenceLink, Proof

    wrong = []
    bare = Evidence.objects.filter(revisions__files=None).count()
    if bare:
        wrong.append(f"{bare} without a file")
    unused = Blob.objects.filter(files=None, populations=None).count()
    if unused:
        wrong.append(f"{unused} digests that nothing names")
    links = EvidenceLink.objects.count()
    for verb, count in (
        ("evidence.accepted", EvidenceLink.objects.filter(state="accepted").count()),
        ("evidence.rejected", EvidenceLink.objects.filter(state="rejected").count()),
        ("evidence.submitted", EvidenceLink.objects.exclude(state="draft").count()),
    ):
        events = AuditEvent.objects.filter(verb=verb).count()
        if events != count:
            wrong.append(f"{events} events {verb} of {count}")
    accepted = EvidenceLink.objects.filter(state="accepted").count()
    proven = (
        Proof.objects.filter(state="accepted", known_until=None)
        .values("link")
        .distinct()
        .count()
    )
    if proven != accepted:
        wrong.append(f"{proven} links prove of {accepted}")
    return _verdict(wrong, links)


def _command(instance: Instance, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1:]
    return f"{'clean' if done.returncode == 0 else 'WRONG'}: {' '.join(last)}"


def is_wrong(rows: Iterable[Row], odd: Iterable[str]) -> bool:
    """Whether a promise was broken, or something came that nobody expected."""
    return any("WRONG" in verdict for _, verdict in rows) or bool(list(odd))


Check = Callable[[Instance, Book], list[Row]]
