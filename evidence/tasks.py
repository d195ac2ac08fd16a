"""Thin tasks: a primary key in, one domain call."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from controls.errors import TransitionNotAllowed
from evidence.exports import jobs
from evidence.files import scan, spill_removal
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from evidence.notices.mailing import send_mail
from evidence.storage import sweep as store_sweep


@shared_task(ignore_result=True)
def sweep() -> None:
    """Wake the jobs nobody works on."""
    jobs.sweep()
    scan.sweep()
    spill_removal.sweep()


@shared_task(ignore_result=True)
def tell_people() -> None:
    """Every minute: find what is new or over, make the mails that are due."""
    instant = timezone.now()
    gather_notices(instant)
    mailing.make_mails(instant)
    for pk in mailing.unsent(instant):
        send_mail.delay(pk)


@shared_task(ignore_result=True)
def sweep_store() -> None:
    """Nightly: delete bytes that no record names; a second one at once does nothing."""
    with suppress(TransitionNotAllowed):
        store_sweep.sweep_store(instant=timezone.now())


@shared_task(ignore_result=True)
def show_todays_classes() -> None:
    """Just after midnight: overrides may have ended, services may have begun."""
    from controls.models import System
    from controls.responsibility.decide import refresh_todays
    from evidence.status.control_status import today_of

    for system in System.objects.all():
        refresh_todays(system, today_of(system))
