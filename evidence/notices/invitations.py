"""Mails of invitations: queued with the invitation, sent after commit, tried again.

Nobody waits for a mail server while the invitation is written, least of all whoever
needs the rows that it locks.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import shared_task
from django.core.mail import EmailMessage
from django.db.models import QuerySet
from django.dispatch import receiver

from controls.accounts.invitation_mails import invitation_mail, mail_wanted
from controls.accounts.invitations import link_key
from controls.history.clock import knowledge_now
from controls.models import Invitation
from controls.models.audit import Event
from controls.models.invitations import InvitationState
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import InvitationMail
from evidence.notices.sending import OVER, MailKind, headers_of


@receiver(mail_wanted)
def queue_mail(invitation: Invitation, now: dt.datetime, **kwargs: Any) -> None:
    """Write the mail beside its invitation, in the same transaction."""
    mail = InvitationMail.objects.create(
        invitation=invitation, number=invitation.mails, created_at=now
    )
    wake(send_invitation_mail, mail.pk)


class InvitationMailJob(MailKind[InvitationMail]):
    """Sends the link of an invitation that is open, by its newest mail alone.

    Given up, the invitation says that its mail could not be sent.
    """

    max_wait = dt.timedelta(days=1)  # of the seven for which the link is good

    @property
    def task(self) -> Any:
        """See `send_invitation_mail`."""
        return send_invitation_mail

    def unfinished(self) -> QuerySet[InvitationMail]:
        """Neither sent nor dropped."""
        rows = InvitationMail.objects.exclude(state__in=OVER)
        related = ("system", "team", "invited_by")
        return rows.select_related(*(f"invitation__{name}" for name in related))

    def is_wanted(self, mail: InvitationMail) -> bool:
        """Whether the link that it carries would be taken."""
        return _counting(mail).exists()

    def message(self, mail: InvitationMail) -> EmailMessage:
        """With the link of this mail, which is nowhere stored."""
        message = invitation_mail(mail.invitation, link_key(mail.invitation))
        message.extra_headers |= headers_of(mail.uuid)
        return message

    def event_of_giving_up(self, job: InvitationMail) -> Event | None:
        """None; the page of people says it of the invitation from then on."""
        _counting(job).update(mailed_at=None)
        return None

    def event_of_beginning_anew(self, job: InvitationMail) -> Event | None:
        """None; the mail is on its way again, as when it was written."""
        _counting(job).update(mailed_at=knowledge_now())
        return None


def _counting(mail: InvitationMail) -> QuerySet[Invitation]:
    """The invitation, if it is open and this is its newest mail."""
    return Invitation.objects.filter(
        pk=mail.invitation_id, state=InvitationState.OPEN, mails=mail.number
    )


INVITATION_MAILS = InvitationMailJob()


@shared_task(
    name="evidence.tasks.send_invitation_mail", ignore_result=True, acks_late=True
)
def send_invitation_mail(mail_pk: int) -> None:
    """Send one mail; may run twice, sends once."""
    work_on(INVITATION_MAILS, mail_pk)
