"""A full disk, a broken broker, a slow store: what each costs, and that it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any

import urllib3

from bench.chaos.checks import Row, wait_for_calm
from bench.chaos.clients import Book, Exporter, Uploader
from bench.chaos.instance import ClientCompany, Instance, free_port
from srm_project.local.paths import PROJECT
from tests.slow_s3 import StandIn

SPOILED_SECONDS = 10
UPLOADS_AT_ONCE = 24


def full_disk(instance: Instance, company: ClientCompany) -> Row:
    """The disk of store and exports is filled while people upload and export."""
    name = "full disk"
    if not instance.has_own_disk:
        return name, "left out: no right to mount a small disk"
    ballast, before = instance.store / "ballast", _waiting(instance)
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x")
    spoiled = _meanwhile(instance, company)
    ready = _ready(instance)
    left = _waiting(instance) - before
    ballast.unlink()
    after = _meanwhile(instance, company, seconds=5)
    seconds = wait_for_calm(instance)
    wrong = [] if not left else [f"WRONG: {len(left)} temporary files left"]
    if _acknowledged(spoiled, "upload"):
        wrong.append("WRONG: uploads were taken")
    if not _acknowledged(after, "upload"):
        wrong.append("WRONG: none was taken once there was space")
    return name, _row_text(spoiled, ready, after, seconds, wrong)


def _waiting(instance: Instance) -> set[str]:
    """Names of uploads under way, and of those that were killed within a day."""
    return {path.name for path in (instance.store / "incoming").iterdir()}


def broken_broker(instance: Instance, company: ClientCompany) -> Row:
    """The broker has no memory left: it answers each write by an error."""
    from redis import Redis

    broker = Redis.from_url(os.environ["BROKER_URL"])
    broker.config_set("maxmemory", "1")
    spoiled = _meanwhile(instance, company)
    ready = _ready(instance)
    broker.config_set("maxmemory", "0")
    after = _meanwhile(instance, company, seconds=5)
    seconds = wait_for_calm(instance)
    wrong = []
    if set(spoiled.counts) - {(verb, "acknowledged") for verb, _ in spoiled.counts}:
        wrong.append("WRONG: something was refused")
    return "broken broker", _row_text(spoiled, ready, after, seconds, wrong)


def slow_store(instance: Instance, company: ClientCompany) -> Row:
    """A second web server stores in a bucket that takes a kilobyte in 0.25 s."""
    stand_in, port = StandIn(pause=0.25, silent=False), free_port()
    command = "-m gunicorn srm_project.wsgi:application --workers 1 --threads 20"
    command += f" --worker-class gthread --no-control-socket --bind 127.0.0.1:{port}"
    env = os.environ | {
        "SRM_PROCESS": "web",
        "EVIDENCE_STORE": "s3://evidence/proof",
        "EVIDENCE_S3_ENDPOINT": f"http://127.0.0.1:{stand_in.port}",
        "EVIDENCE_S3_REGION": "us-east-1",
        "WORK_FOLDER": str(instance.root / "work"),
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    process = subprocess.Popen([sys.executable, *command.split()], cwd=PROJECT, env=env)
    second = replace(instance, port=port)
    try:
        while not _answers(second):
            time.sleep(0.2)
        return "slow store", _slow(second, company)
    finally:
        process.terminate()
        process.wait()
        stand_in.close()


def _slow(second: Instance, company: ClientCompany) -> str:
    _upload(second, company)  # the first one loads what speaks to the bucket
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(_upload(second, company)))
        for _ in range(UPLOADS_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        _answers(second)
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.1)
    counted = Counter(statuses)
    wrong = "" if set(counted) <= {201, 503} and counted[201] else "; WRONG"
    answers = ", ".join(f"{n} of {s}" for s, n in sorted(counted.items()))
    slow = f"slowest /livez meanwhile {slowest:.2f} s"
    return f"uploads answered by: {answers}; {slow}{wrong}"


def _upload(second: Instance, company: ClientCompany) -> int:
    client, book = Uploader(second, company, Book()), Book()
    client.book = book
    client.over.set()  # once
    client.upload("upload")
    ((_, outcome),) = book.counts
    return 201 if outcome == "acknowledged" else int(outcome)


def _answers(instance: Instance) -> bool:
    with suppress(urllib3.exceptions.HTTPError):
        url = f"http://127.0.0.1:{instance.port}/livez"
        answer = urllib3.request("GET", url, retries=False, timeout=30)
        return bool(answer.status == 200)
    return False


def _ready(instance: Instance) -> str:
    url = f"{instance.url}/readyz"
    body: dict[str, Any] = urllib3.request("GET", url, retries=False).json()
    return ", ".join(name for name, state in body.items() if state is False) or "all"


def _meanwhile(
    instance: Instance, company: ClientCompany, seconds: float = SPOILED_SECONDS
) -> Book:
    """What came of uploads and exports for some seconds."""
    book = Book()
    clients = [kind(instance, company, book) for kind in (Uploader, Exporter)]
    for client in clients:
        client.start()
    time.sleep(seconds)
    for client in clients:
        client.over.set()
    for client in clients:
        client.join(60)
    return book


def _acknowledged(book: Book, verb: str) -> int:
    return book.counts[verb, "acknowledged"]


def _row_text(
    spoiled: Book, ready: str, after: Book, seconds: float, wrong: list[str]
) -> str:
    counted = sorted(spoiled.counts.items())
    meanwhile = ", ".join(f"{verb} {outcome}: {n}" for (verb, outcome), n in counted)
    odd = [f"WRONG: {text}" for text in spoiled.odd + after.odd]
    uploads = _acknowledged(after, "upload")
    text = f"{meanwhile}; `/readyz` names: {ready}; slowest {spoiled.slowest:.1f} s;"
    text += f" then {uploads} uploads in 5 s, every export ended after {seconds:.0f} s"
    return "; ".join([text, *wrong, *odd[:3]])
