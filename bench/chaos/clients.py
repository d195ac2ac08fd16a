"""Six clients over HTTP, and the book of what was acknowledged to them."""

from __future__ import annotations

import hashlib
import json
import queue
import secrets
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import urllib3

from bench.chaos.instance import ClientCompany, Instance

Answer = Any
PATIENCE = 40  # seconds for one answer
PAUSE = 0.3  # seconds before something is sent again


@dataclass(frozen=True)
class Uploaded:
    """An upload that was acknowledged: its link, its bytes, whether it is a draft."""

    link: str
    sha256: str
    etag: str
    draft: bool


@dataclass
class Book:
    """What was sent, what was acknowledged, and what nobody expected."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent: set[str] = field(default_factory=set)  # titles of all uploads
    uploads: dict[str, Uploaded] = field(default_factory=dict)  # by title
    submitted: set[str] = field(default_factory=set)  # links
    reviews: dict[str, str] = field(default_factory=dict)  # state by link
    exports: set[str] = field(default_factory=set)
    downloads: int = 0
    slowest: float = 0.0  # seconds of an answer
    odd: list[str] = field(default_factory=list)
    waiting: queue.Queue[Uploaded] = field(default_factory=queue.Queue)

    def count(self, verb: str, outcome: str) -> None:
        """One more of it."""
        self.counts[verb, outcome] += 1


class Client(threading.Thread, ABC):
    """Does one thing again and again until it is told to stop."""

    verb = ""
    who = ""

    def __init__(self, instance: Instance, company: ClientCompany, book: Book) -> None:
        super().__init__(daemon=True)
        self.instance, self.company, self.book = instance, company, book
        self.over = threading.Event()
        self.pool = urllib3.PoolManager(retries=False, timeout=PATIENCE)

    def run(self) -> None:
        """Until it is told to stop; what fails here is odd."""
        while not self.over.is_set():
            try:
                self.step()
            except Exception as failure:
                self.book.odd.append(f"{self.verb}: {failure!r}")
                time.sleep(PAUSE)

    @abstractmethod
    def step(self) -> None:
        """One round."""

    def ask(
        self, verb: str, method: str, path: str, *, stop: bool = True, **more: Any
    ) -> Answer | None:
        """Send until it is answered for good; None where that was broken off.

        An answer for good is none of 5xx, 429, and no 409 that says when to come back.
        With `stop` it gives up once the client is told to stop.
        """
        headers = {"Authorization": f"Token {self.company.tokens[self.who]}"}
        headers |= more.pop("headers", {})
        while True:
            outcome = self._once(verb, method, path, headers, more)
            if outcome is not None or (stop and self.over.is_set()):
                return outcome
            time.sleep(PAUSE)

    def _once(
        self,
        verb: str,
        method: str,
        path: str,
        headers: dict[str, str],
        more: dict[str, Any],
    ) -> Answer | None:
        began = time.monotonic()
        try:
            answer = self.pool.request(
                method,
                self.instance.url + path,
                headers=headers,
                redirect=False,
                **more,
            )
        except urllib3.exceptions.HTTPError:
            self.book.count(verb, "broken off")
            return None
        finally:
            taken = time.monotonic() - began
            self.book.slowest = max(self.book.slowest, taken)
        back = "Retry-After" in answer.headers
        if answer.status in {429, 502, 503, 504, 507} or (
            answer.status == 409 and back
        ):
            self.book.count(verb, f"{answer.status}")
            return None
        if answer.status >= 400:
            self.book.count(verb, f"{answer.status}")
            if answer.status >= 500:
                self.book.odd.append(f"{verb}: {answer.status} {answer.data[:200]!r}")
                return None
        else:
            self.book.count(verb, "acknowledged")
        return answer


class Uploader(Client):
    """Uploads, each under a key of its own; sent again under the same key."""

    verb, who, draft = "upload", "alice", False

    def step(self) -> None:
        """One upload."""
        uploaded = self.upload(self.verb)
        if uploaded is not None and not uploaded.draft:
            self.book.waiting.put(uploaded)

    def upload(self, verb: str) -> Uploaded | None:
        """Bytes that nobody has uploaded before; None where that was broken off."""
        title = uuid.uuid4().hex
        text = secrets.token_hex(secrets.randbelow(20_000) + 1_000)
        day = self.company.day.isoformat()
        fields = {
            "requirement": self.company.requirement,
            "title": title,
            "performed_on": day,
            "period_start": self.company.day.replace(day=1).isoformat(),
            "period_end": day,
            "draft": "true" if self.draft else "false",
            "files": ("report.txt", text, "text/plain"),
        }
        self.book.sent.add(title)
        answer = self.ask(
            verb,
            "POST",
            "/api/v1/evidence/",
            fields=fields,
            headers={"Idempotency-Key": title},
        )
        if answer is None:
            return None
        if answer.status != 201:
            self.book.odd.append(f"{verb}: {answer.status} {answer.data[:300]!r}")
            return None
        uploaded = Uploaded(
            answer.json()["uuid"],
            hashlib.sha256(text.encode()).hexdigest(),
            answer.headers["ETag"],
            self.draft,
        )
        self.book.uploads[title] = uploaded
        return uploaded


class Submitter(Uploader):
    """Keeps drafts and submits them."""

    verb, draft = "upload", True

    def step(self) -> None:
        """One draft, submitted."""
        draft = self.upload("keep a draft")
        if draft is None:
            return
        path = f"/api/v1/evidence/{draft.link}/"
        headers = {"If-Match": draft.etag}
        answer = self.ask("submit", "POST", f"{path}submit/", headers=headers)
        if answer is None:
            return
        if answer.status == 200:
            self.book.submitted.add(draft.link)
        elif answer.status not in {409, 412}:  # done before, and never told so
            self.book.odd.append(f"submit: {answer.status} {answer.data[:300]!r}")


class Reviewer(Client):
    """Accepts and rejects what others uploaded."""

    verb, who = "review", "rita"

    def step(self) -> None:
        """One decision."""
        try:
            uploaded = self.book.waiting.get(timeout=1)
        except queue.Empty:
            return
        decision, state = secrets.choice(
            [("accept", "accepted"), ("reject", "rejected")]
        )
        answer = self.ask(
            "review",
            "POST",
            f"/api/v1/evidence/{uploaded.link}/{decision}/",
            json={"reason": "Seen."},
            headers={"If-Match": uploaded.etag},
        )
        if answer is None:
            return
        if answer.status == 200:
            self.book.reviews[uploaded.link] = state
        elif answer.status not in {409, 412}:  # done before, and never told so
            self.book.odd.append(f"review: {answer.status} {answer.data[:300]!r}")


class Exporter(Client):
    """Asks for exports, waits for each, takes its file and compares the bytes."""

    verb, who = "export", "ray"

    def step(self) -> None:
        """One export, asked for under a key; its file as far as it is made in time."""
        answer = self.ask(
            "export",
            "POST",
            "/api/v1/exports/",
            body=json.dumps({"system": "shop"}),
            headers={
                "Idempotency-Key": uuid.uuid4().hex,
                "Content-Type": "application/json",
            },
        )
        if answer is None:
            return
        if answer.status != 202:
            self.book.odd.append(f"export: {answer.status} {answer.data[:300]!r}")
            return
        name = answer.json()["uuid"]
        self.book.exports.add(name)
        for _ in range(15):
            if self.over.wait(1):
                return
            state = self.ask("see an export", "GET", f"/api/v1/exports/{name}/")
            if state is None:
                return
            if state.json()["state"] == "done":
                self._download(name, state.json()["sha256"])
                return

    def _download(self, name: str, sha256: str) -> None:
        answer = self.ask("take a file", "GET", f"/api/v1/exports/{name}/file/")
        if answer is None:
            return
        if hashlib.sha256(answer.data).hexdigest() == sha256:
            self.book.downloads += 1
        else:
            self.book.odd.append(f"other bytes of export {name}: {answer.status}")


class PageReader(Client):
    """Reads pages and the API."""

    verb, who = "read", "ray"

    def step(self) -> None:
        """A list, a page, a probe."""
        self.ask("read", "GET", "/api/v1/systems/shop/controls/")
        cookies = {"Cookie": self.company.cookies}
        self.ask("read", "GET", "/systems/shop/", headers=cookies)
        self.over.wait(0.2)


SIX: tuple[type[Client], ...] = (
    Uploader,
    Uploader,
    Submitter,
    Reviewer,
    Exporter,
    PageReader,
)
