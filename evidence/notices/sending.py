"""What every mail that is a leased job shares: the way to the server, and patience.

At least once: a worker that dies between the server's yes and our record sends the mail
again, under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import socket
from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from evidence.jobs.kinds import AttemptFailed, Backoff, JobKind, JobT, MustWait
from evidence.jobs.leases import Lease
from evidence.models.notices import MailState

OVER = (MailState.SENT, MailState.DROPPED)
# Of the way to the server, before it has seen the mail: not its answer to a mail.
AWAY = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    smtplib.SMTPConnectError,
    smtplib.SMTPServerDisconnected,
)


class MailKind(JobKind[JobT]):
    """Sends one mail, unless it is wanted no more. Its rows have `state`, `sent_at`."""

    lease = dt.timedelta(minutes=10)  # longer than a server may be silent
    max_attempts = 6
    backoff = Backoff(dt.timedelta(minutes=5), dt.timedelta(hours=1))
    patience_backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(minutes=30))
    max_wait = dt.timedelta(days=4)  # as long as mail servers keep trying
    max_swept = 500
    while_leased: ClassVar[dict[str, Any]] = {"state": MailState.SENDING}
    while_waiting: ClassVar[dict[str, Any]] = {"state": MailState.QUEUED}
    after_failure: ClassVar[dict[str, Any]] = {"state": MailState.FAILED}
    when_given_up: ClassVar[dict[str, Any]] = after_failure

    @abstractmethod
    def is_wanted(self, mail: JobT) -> bool:
        """Whether it may still leave."""

    @abstractmethod
    def message(self, mail: JobT) -> EmailMessage:
        """The mail, as of now."""

    def perform(self, lease: Lease[JobT]) -> None:
        """Connect, send, record that the server took it."""
        if not self.is_wanted(lease.job):
            lease.finish(state=MailState.DROPPED)
            return
        connection = get_connection()
        try:
            connection.open()
        except AWAY as away:
            raise MustWait(f"The mail server does not answer: {away}") from away
        try:
            lease.renew()  # somebody else may have sent it while we connected
            connection.send_messages([self.message(lease.job)])
        except OSError as failure:  # of the network, and all that smtplib raises
            raise AttemptFailed(f"The mail server refused: {failure}") from failure
        finally:
            connection.close()
        lease.finish(state=MailState.SENT, sent_at=lease.now())


def headers_of(uuid: Any) -> dict[str, str]:
    """Of a mail that a program writes; the same Message-ID for the same row."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return {"Message-ID": f"<{uuid}@{host}>", "Auto-Submitted": "auto-generated"}
