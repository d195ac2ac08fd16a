"""Something on this machine that speaks like STS and AWS Artifact, and fails on cue."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ROLE = "arn:aws:iam::111122223333:role/srm-reads-artifact"
EXTERNAL_ID = "an-external-id"
PATHS = {
    "/v1/report/list": "ListReports",
    "/v1/report/listVersions": "ListReportVersions",
    "/v1/report/getMetadata": "GetReportMetadata",
    "/v1/report/getTermForReport": "GetTermForReport",
    "/v1/report/get": "GetReport",
}
ASSUMED = (
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
    "<AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>"
    "<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"
    "<Expiration>2026-11-23T10:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    "</AssumeRoleResponse>"
)
REFUSED = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
    "<Type>Sender</Type><Code>AccessDenied</Code><Message>No.</Message></Error>"
    "<RequestId>1</RequestId></ErrorResponse>"
)
Answer = tuple[int, str, bytes]  # status, code of an error or "", body


def listed(aws_id: str, name: str, **more: Any) -> dict[str, Any]:
    """One version of a report as AWS lists it."""
    return {
        "id": aws_id,
        "version": 1,
        "arn": f"arn:aws:artifact:us-east-1::report/{aws_id}:1",
        "name": name,
        "state": "PUBLISHED",
        "series": "SOC",
        "category": "Certifications and Attestations",
        "periodStart": "2025-10-01T00:00:00Z",
        "periodEnd": "2026-09-30T00:00:00Z",
    } | more


@dataclass
class LocalArtifact:
    """What it lists, which calls it got, and how it fails: `fault` is asked first."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    per_page: int = 2
    calls: Counter[str] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)
    assumed: list[dict[str, list[str]]] = field(default_factory=list)
    refuses_role: bool = False
    # what lies at /documents/<name>, and the name of the term that stands
    documents: dict[str, bytes] = field(default_factory=dict)
    term_arn: str = "arn:aws:artifact:::term/term-1:1"
    # where it says that documents lie, if not here
    elsewhere: str = ""
    fault: Callable[[str, dict[str, str], int], Answer | None] = lambda *_: None
    endpoint: str = ""

    def answer(self, operation: str, query: dict[str, str]) -> Answer:
        """What a call is answered."""
        self.calls[operation] += 1
        fault = self.fault(operation, query, self.calls[operation])
        if fault is not None:
            return fault
        body: dict[str, Any]
        if operation == "ListReports":
            start = int(query.get("nextToken", "0"))
            end = start + self.per_page
            body = {"reports": self.reports[start:end]}
            if end < len(self.reports):
                body["nextToken"] = str(end)
        elif operation == "ListReportVersions":
            own = [row for row in self.reports if row["id"] == query["reportId"]]
            body = {"reports": self.versions.get(query["reportId"], own)}
        elif operation == "GetTermForReport":
            body = {
                "documentPresignedUrl": self.place("term.pdf"),
                "termToken": f"token of {self.term_arn}",
            }
        elif operation == "GetReport":
            if query["termToken"] != f"token of {self.term_arn}":
                return error(400, "ValidationException")
            body = {"documentPresignedUrl": self.place("report.pdf")}
        else:
            rows = self.versions.get(query["reportId"], self.reports)
            (row,) = (
                row
                for row in rows
                if row["id"] == query["reportId"]
                and str(row["version"]) == query["reportVersion"]
            )
            more = {"createdAt": "2026-10-20T08:00:00Z", "termArn": self.term_arn}
            body = {"reportDetails": row | more}
        return 200, "", json.dumps(body).encode()

    def place(self, name: str) -> str:
        """Where a document lies for a while."""
        return f"{self.elsewhere or self.endpoint}/documents/{name}?signature=1"


def error(status: int, code: str) -> Answer:
    return status, code, json.dumps({"message": "No."}).encode()


@contextmanager
def serving(local: LocalArtifact) -> Iterator[LocalArtifact]:
    """Serve it on a free port, its address in `endpoint`, until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            local.assumed.append(parse_qs(self.rfile.read(length).decode()))
            if local.refuses_role:
                self.send(403, "", REFUSED.encode(), "text/xml")
            else:
                self.send(200, "", ASSUMED.encode(), "text/xml")

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(address.query).items()}
            name = address.path.removeprefix("/documents/")
            if name in local.documents:
                self.send(200, "", local.documents[name], "application/pdf")
                return
            operation = PATHS.get(address.path)
            if operation is None:
                local.others.append(address.path)
                self.send(*error(404, "NotFound"))
            else:
                self.send(*local.answer(operation, query))

        def send(
            self, status: int, code: str, body: bytes, kind: str = "application/json"
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if code == "truncated":
                self.send_header("Content-Length", str(len(body) + 1000))
            else:
                self.send_header("Content-Length", str(len(body)))
            if code not in {"", "truncated"}:
                self.send_header("x-amzn-errortype", code)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    local.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield local
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
