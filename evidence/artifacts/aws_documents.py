"""One report of AWS Artifact and its term, as bytes: for a person who asked for it.

The term comes alone first. Asking for a report takes the token of its term, which is
how AWS is told that the term was accepted: nobody else calls this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from evidence.artifacts.aws_artifact import FETCHING, ReadingFailed, explain_failure

PIECE = 1 << 18  # bytes
TIMEOUT = urllib3.Timeout(connect=5, read=30)  # seconds
HOSTS = (".amazonaws.com", ".amazonaws.com.cn")


@dataclass(frozen=True)
class TermOfReport:
    """AWS's name of the term that stands now, where its text lies, and its token."""

    arn: str
    address: str
    token: str


class DocumentReader:
    """Fetches one version of one report; `endpoint` is empty for AWS itself."""

    def __init__(self, client: Any, endpoint: str = "") -> None:
        self._client, self._endpoint = client, endpoint

    def term(self, aws_id: str, aws_version: int) -> TermOfReport:
        """Its term as it stands now. Raises ReadingFailed."""
        named = {"reportId": aws_id, "reportVersion": aws_version}
        details = self._call("get_report_metadata", **named).get("reportDetails") or {}
        answer = self._call("get_term_for_report", **named)
        return TermOfReport(
            arn=str(details.get("termArn", ""))[:300],
            address=str(answer.get("documentPresignedUrl", "")),
            token=str(answer.get("termToken", "")),
        )

    def report(self, aws_id: str, aws_version: int, term: TermOfReport) -> str:
        """Where its bytes lie for a while, by the token of its term: this accepts the
        term. Raises ReadingFailed."""
        answer = self._call(
            "get_report",
            reportId=aws_id,
            reportVersion=aws_version,
            termToken=term.token,
        )
        return str(answer.get("documentPresignedUrl", ""))

    def pieces(self, address: str, action: str) -> Iterator[bytes]:
        """The bytes that lie there. Raises ReadingFailed; follows no redirect."""
        if not self._is_of_aws(address):
            raise ReadingFailed(action, "AWS named an address that is not its own.")
        try:
            answer = urllib3.request(
                "GET",
                address,
                preload_content=False,
                redirect=False,
                retries=False,
                timeout=TIMEOUT,
            )
            try:
                if answer.status != 200:
                    sentence = f"The file was answered with {answer.status}."
                    raise ReadingFailed(action, sentence)
                yield from answer.stream(PIECE)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as failure:
            why = type(failure).__name__
            raise ReadingFailed(action, f"The file broke off ({why}).") from failure

    def _is_of_aws(self, address: str) -> bool:
        """Whether the server of an address is AWS's, or the one that is set instead."""
        parts = urlsplit(address)
        if self._endpoint:
            own = urlsplit(self._endpoint)
            return (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        return parts.scheme == "https" and (parts.hostname or "").endswith(HOSTS)

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, name)(**arguments)
        except (BotoCoreError, ClientError, ResponseParserError) as failure:
            raise explain_failure(FETCHING[name], failure) from failure
        return answer
