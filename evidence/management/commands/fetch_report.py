"""Fetch one version of a report from AWS Artifact, in two steps: its term first."""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandParser

from controls.errors import Refused
from controls.models import User
from evidence.held_reports.fetch import accept_term, ask_for_fetch, fetch_now
from evidence.held_reports.hold import USUAL_TERM
from evidence.models import FetchState, ListedReport, ReportFetch

REFUSED, WAITS = 1, 3


class Command(BaseCommand):
    """Exit 0: the report is held. 3: its term waits to be read. 1: refused."""

    help = (
        "Fetch one version of a report that AWS Artifact lists, in the name of a person"
        " who keeps its file. The first call fetches AWS's term and accepts nothing:"
        " read it on its page. A second call with --agreement and --accept-term accepts"
        " it in that person's name, fetches the report and holds it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which version, in whose name; for the second step, by what right."""
        parser.add_argument("aws_id", help="AWS's id of the report")
        parser.add_argument("aws_version", type=int)
        parser.add_argument("--as", dest="address", required=True, metavar="E-MAIL")
        parser.add_argument("--agreement", default="")
        parser.add_argument("--term", default=USUAL_TERM)
        parser.add_argument(
            "--accept-term",
            action="store_true",
            help="I have read AWS's term and accept it for this company",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step that waits, here, and print what came of it."""
        try:
            fetch = self._step(options)
        except ValidationError as refusal:
            self.stderr.write(" ".join(refusal.messages))
            sys.exit(REFUSED)
        if fetch.state == FetchState.DONE and fetch.file is not None:
            self.stdout.write(
                f"“{fetch.file.name}” is held, sha256 {fetch.file.sha256}."
            )
            return
        if fetch.state != FetchState.TERM or fetch.term_blob is None:
            self.stderr.write(fetch.error or "Not fetched yet: a worker tries it.")
            sys.exit(REFUSED)
        self.stdout.write(
            f"{fetch.error} AWS's term came, sha256 {fetch.term_blob.sha256}. Read it"
            f" at /artifacts/fetches/{fetch.uuid}/ and accept it there or here.".strip()
        )
        sys.exit(WAITS)

    def _step(self, options: dict[str, Any]) -> ReportFetch:
        by = User.objects.filter(email__iexact=options["address"]).first()
        listed = ListedReport.objects.filter(
            aws_id=options["aws_id"], aws_version=options["aws_version"]
        ).first()
        if by is None or listed is None:
            raise Refused("There is no such person, or AWS lists no such version.")
        if not options["accept_term"]:
            return fetch_now(ask_for_fetch(listed, by=by))
        waiting = listed.fetches.filter(state=FetchState.TERM).first()
        if waiting is None:
            raise Refused("No term of it waits to be read: call it without the term.")
        accept_term(
            waiting,
            agreement=options["agreement"],
            term=options["term"],
            confirmed=True,
            by=by,
        )
        return fetch_now(waiting)
