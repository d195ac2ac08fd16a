"""Thin tasks: a primary key in, one domain call."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from controls.errors import TransitionNotAllowed
from evidence.exports import jobs
from evidence.files import scan, spill_removal
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from evidence.storage import sweep as store_sweep


@shared_task(ignore_result=True, acks_late=True)
def make_export(export_pk: int) -> None:
    """Make the file of one export; may run twice."""
    jobs.run(export_pk)


@shared_task(ignore_result=True, acks_late=True)
def scan_blob(blob_pk: int) -> None:
    """Scan one file for viruses; may run twice."""
    scan.scan(blob_pk)


@shared_task(ignore_result=True, acks_late=True)
def destroy_spill(removal_pk: int) -> None:
    """Destroy the bytes of an approved removal; may run twice."""
    spill_removal.destroy(removal_pk)


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


@shared_task(ignore_result=True, acks_late=True)
def send_mail(mail_pk: int) -> None:
    """Send one mail; may run twice, sends once."""
    mailing.send(mail_pk, timezone.now())


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
