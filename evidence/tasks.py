"""Thin tasks: a primary key in, one domain call."""

from contextlib import suppress
from typing import Any

from celery import shared_task

from controls import clock
from controls.accounts.ended_sessions import forget_ended_sessions
from controls.errors import TransitionNotAllowed
from controls.idempotency import forget_old_keys
from evidence.artifacts.sync import SYNCS, sync_at_night
from evidence.bulk_acts.runs import RUNS
from evidence.exports import ends
from evidence.exports.files import sweep_files
from evidence.exports.jobs import EXPORTS
from evidence.files.scan import SCANS
from evidence.files.spill_removal import REMOVALS
from evidence.held_reports.fetch import FETCHES
from evidence.held_reports.removal import REPORT_REMOVALS
from evidence.jobs.kinds import JobKind
from evidence.jobs.wake import wake
from evidence.jobs.work import sweep as sweep_jobs
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from evidence.notices.invitations import INVITATION_MAILS
from evidence.notices.settled import forget_settled
from evidence.planning.standing_upkeep import keep_standings
from evidence.signing import alarms, checkpoints
from evidence.storage import sweep as store_sweep

# A new kind of job is added here; its module registers its own task with Celery.
KINDS: tuple[JobKind[Any], ...] = (
    *(EXPORTS, SCANS, REMOVALS, mailing.MAILS),
    INVITATION_MAILS,
    SYNCS,
    RUNS,
    FETCHES,
    REPORT_REMOVALS,
)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Wake the jobs nobody works on."""
    for kind in KINDS:
        sweep_jobs(kind)


@shared_task(ignore_result=True)
def tell_people() -> None:
    """Every minute: keep where asks stand, find what is new or over, make the mails
    that are due."""
    instant = clock.now()
    keep_standings(instant)
    gather_notices(instant)
    for pk in mailing.make_mails(instant):
        wake(mailing.send_mail, pk)


@shared_task(ignore_result=True)
def sweep_store() -> None:
    """Nightly: delete bytes that no record names; a second one at once does nothing.

    Keys of requests, settled notices and rows of exports that are older than they are
    kept go too, and sessions that expired.
    """
    forget_ended_sessions(clock.now())
    forget_old_keys(clock.now())
    forget_settled(clock.now())
    ends.forget_exports(clock.now())
    sweep_files(clock.now())
    with suppress(TransitionNotAllowed):
        store_sweep.sweep_store(instant=clock.now())


@shared_task(ignore_result=True)
def sync_artifacts_at_night() -> None:
    """Nightly, where it is switched on: ask for a reading of AWS Artifact."""
    sync_at_night()


@shared_task(ignore_result=True)
def write_checkpoints() -> None:
    """Hourly: what the audit log is at this moment, signed; one process at a time.
    Then whether it is what its checkpoints say."""
    with suppress(TransitionNotAllowed):
        checkpoints.write_checkpoints()
    alarms.check_checkpoints()


# As long as it takes: a million events are minutes.
@shared_task(ignore_result=True, time_limit=6 * 3600)
def verify_audit_log() -> None:
    """At night: every event of every chain follows from the one before it."""
    alarms.verify_chains()


@shared_task(ignore_result=True)
def end_exports() -> None:
    """Hourly: files of exports go once they expired, or their owner's role ended."""
    ends.end_exports(clock.now())


@shared_task(ignore_result=True)
def show_todays_classes() -> None:
    """Just after midnight: overrides may have ended, services and terms may have
    begun, and what nobody decided in time lapses."""
    from controls.implementation_days import show_todays_statuses
    from controls.lapses import lapse_requests
    from controls.models import System
    from controls.system_terms import show_todays_system_terms
    from evidence.requirements.terms import show_todays_terms
    from evidence.status.control_status import today_of
    from evidence.systems import todays_classes

    for system in System.objects.all():
        today = today_of(system)
        todays_classes.show_todays_classes(system, today)
        show_todays_terms(system, today)
        show_todays_statuses(system, today)
        show_todays_system_terms(system, today)
        lapse_requests(system, today)
