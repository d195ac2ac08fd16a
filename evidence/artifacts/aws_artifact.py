"""AWS Artifact's list of reports, read by its API: three actions that read, no others.

Reading accepts no term and downloads nothing: `GetTermForReport` and `GetReport` are
not among its actions. They are in a policy of their own, for installations where a
person fetches a report whose term was shown first (`aws_documents.py`).

One file: what is called, what the policy allows and what goes wrong are read together.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

# The actions that are called: the policy is made of them, and a test holds both alike.
ACTIONS = {
    "list_reports": "artifact:ListReports",
    "list_report_versions": "artifact:ListReportVersions",
    "get_report_metadata": "artifact:GetReportMetadata",
}
# The actions of fetching one report that a person asked for: `evidence.held_reports`.
FETCHING = {
    "get_report": "artifact:GetReport",
    "get_report_metadata": "artifact:GetReportMetadata",
    "get_term_for_report": "artifact:GetTermForReport",
}
SESSION_NAME = "srm-artifact-sync"
SESSION_SECONDS = 900  # the shortest that AWS gives
MAX_PAGES = 100  # of one list
MAX_CALLS = 3000  # of one reading
PER_PAGE = 100
# Codes after which no further call can succeed.
CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
THROTTLED = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "429"}
)


class ReadingFailed(Exception):
    """A call that brought nothing. The text is for people; `action` is AWS's name of
    it; `is_denied`: not permitted; `is_over`: no other call can succeed either."""

    def __init__(
        self,
        action: str,
        sentence: str,
        *,
        is_denied: bool = False,
        is_over: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.action, self.is_denied, self.is_over = action, is_denied, is_over


@dataclass(frozen=True)
class Access:
    """How AWS is reached: the role that is assumed with its external id.

    `endpoint` is empty for AWS itself.
    """

    role: str
    external_id: str
    region: str
    endpoint: str = ""


def policy_of_role() -> dict[str, Any]:
    """What the role may do: the three actions that are called, and no more."""
    statement = {
        "Sid": "ReadWhichReportsThereAre",
        "Effect": "Allow",
        "Action": sorted(ACTIONS.values()),
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def policy_of_fetching() -> dict[str, Any]:
    """What the role may do beside that where reports are fetched by a person's act."""
    statement = {
        "Sid": "FetchAReportThatAPersonAskedFor",
        "Effect": "Allow",
        "Action": sorted(FETCHING.values()),
        "Resource": "arn:aws:artifact:*::report/*",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust_of_role(external_id: str, principal: str) -> dict[str, Any]:
    """Who may assume the role: what the workers run as, with the external id."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _config() -> Config:
    """At most a minute for one call: four tries, each of 3 + 10 seconds."""
    return Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
    )


def client_of(access: Access) -> Any:
    """A client of AWS Artifact under the role. Raises ReadingFailed.

    What assumes the role has its credentials from the environment of the worker, such
    as an instance profile: none are stored here.
    """
    endpoint = access.endpoint or None
    try:
        sts = boto3.client(
            "sts", region_name=access.region, endpoint_url=endpoint, config=_config()
        )
        assumed = sts.assume_role(
            RoleArn=access.role,
            ExternalId=access.external_id,
            RoleSessionName=SESSION_NAME,
            DurationSeconds=SESSION_SECONDS,
        )["Credentials"]
    except (BotoCoreError, ClientError, ResponseParserError, KeyError) as failure:
        raise explain_failure("sts:AssumeRole", failure) from failure
    return boto3.client(
        "artifact",
        region_name=access.region,
        endpoint_url=endpoint,
        config=_config(),
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


@dataclass(frozen=True)
class ReportFacts:
    """One version of a report as AWS lists it; days in UTC, `period_end` inclusive."""

    aws_id: str
    aws_version: int
    arn: str
    name: str
    series: str
    category: str
    period_start: dt.date | None
    period_end: dt.date | None
    issued_on: dt.date | None
    is_published: bool
    needs_acceptance: bool


class ArtifactReader:
    """Reads reports with a client, counts `calls`, and never calls what is refused."""

    def __init__(self, client: Any) -> None:
        self.calls = 0
        self._client = client
        self._denied: set[str] = set()

    def reports(self) -> Iterator[ReportFacts]:
        """The reports that AWS lists, each in the version that the list names.

        Raises ReadingFailed after what was read before it.
        """
        for body in self._pages("list_reports"):
            yield facts_of(body, "list_reports")

    def versions(self, aws_id: str) -> list[ReportFacts]:
        """The versions of a report, the newest first. Raises ReadingFailed."""
        bodies = self._pages("list_report_versions", reportId=aws_id)
        versions = [facts_of(body, "list_report_versions") for body in bodies]
        return sorted(versions, key=lambda facts: facts.aws_version, reverse=True)

    def details(self, facts: ReportFacts) -> ReportFacts:
        """The same with the day on which it was issued. Raises ReadingFailed."""
        answer = self._call(
            "get_report_metadata",
            reportId=facts.aws_id,
            reportVersion=facts.aws_version,
        )
        body = answer.get("reportDetails")
        if not isinstance(body, dict):
            raise _unreadable("get_report_metadata")
        return facts_of(body, "get_report_metadata")

    def is_denied(self, name: str) -> bool:
        """Whether AWS has refused an action once: it is not called again."""
        return name in self._denied

    def _pages(self, name: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        tokens: set[str] = set()
        for _ in range(MAX_PAGES):
            answer = self._call(name, maxResults=PER_PAGE, **arguments)
            bodies = answer.get("reports")
            if not isinstance(bodies, list):
                raise _unreadable(name)
            yield from bodies
            token = answer.get("nextToken")
            if not token:
                return
            if token in tokens:
                sentence = "AWS's list leads back to a page that was read already."
                raise ReadingFailed(ACTIONS[name], sentence)
            tokens.add(token)
            arguments["nextToken"] = token
        sentence = f"AWS's list has more than {MAX_PAGES} pages; the rest is not read."
        raise ReadingFailed(ACTIONS[name], sentence)

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        action = ACTIONS[name]
        if name in self._denied:
            raise ReadingFailed(action, f"{action} is not permitted.", is_denied=True)
        if self.calls >= MAX_CALLS:
            sentence = f"More than {MAX_CALLS:,} calls: the rest waits for the next."
            raise ReadingFailed(action, sentence, is_over=True)
        self.calls += 1
        try:
            answer: dict[str, Any] = getattr(self._client, name)(**arguments)
        except (BotoCoreError, ClientError, ResponseParserError) as failure:
            explained = explain_failure(action, failure)
            if explained.is_denied:
                self._denied.add(name)
            raise explained from failure
        return answer


def facts_of(body: dict[str, Any], name: str) -> ReportFacts:
    """What AWS says of one version. Raises ReadingFailed where it says too little."""
    try:
        return ReportFacts(
            aws_id=str(body["id"])[:100],
            aws_version=int(body["version"]),
            arn=str(body.get("arn", ""))[:300],
            name=str(body["name"])[:256],
            series=str(body.get("series", ""))[:256],
            category=str(body.get("category", ""))[:256],
            period_start=_day(body.get("periodStart")),
            period_end=_day(body.get("periodEnd")),
            issued_on=_day(body.get("createdAt")),
            is_published=body.get("state", "PUBLISHED") == "PUBLISHED"
            and not body.get("deletedAt"),
            needs_acceptance=body.get("acceptanceType") != "PASSTHROUGH",
        )
    except (AttributeError, KeyError, TypeError, ValueError) as failure:
        raise _unreadable(name) from failure


def _day(instant: Any) -> dt.date | None:
    if not isinstance(instant, dt.datetime):
        return None
    return instant.astimezone(dt.UTC).date()


def _unreadable(name: str) -> ReadingFailed:
    return ReadingFailed(ACTIONS[name], "AWS's answer could not be read.")


def explain_failure(action: str, failure: Exception) -> ReadingFailed:
    """The failure of a call in a sentence, without what AWS's answer says in it."""
    if isinstance(failure, ClientError):
        code = str(failure.response.get("Error", {}).get("Code", ""))
        status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code in CREDENTIALS:
            sentence = "AWS takes the credentials no more: they are expired or wrong."
            return ReadingFailed(action, sentence, is_over=True)
        if code in DENIED or status == 403:
            return ReadingFailed(action, f"{action} is not permitted.", is_denied=True)
        if code in THROTTLED or status == 429:
            sentence = "AWS asks to slow down, also when asked again."
            return ReadingFailed(action, sentence)
        return ReadingFailed(action, f"AWS refused with {code[:60] or status}.")
    if isinstance(failure, (KeyError, ResponseParserError)):
        return ReadingFailed(action, "AWS's answer could not be read.")
    why = type(failure).__name__
    return ReadingFailed(action, f"AWS does not answer ({why}).")


def as_text(policy: dict[str, Any]) -> str:
    """A policy as AWS's console takes it."""
    return json.dumps(policy, indent=2)
