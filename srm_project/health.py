"""Whether the process lives, whether it can work, and the way into the admin."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, OperationalError, connection
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

from controls import clock
from controls.confined import ReadersAway, readers_without_network
from controls.history.clock import knowledge_now
from evidence.exports.files import folder as export_folder
from evidence.models import AuditLogCheck
from evidence.signing.alarms import patience
from evidence.storage import StoreUnreachable, open_store, probe_folder

MAX_DIFFERENCE = 5.0  # seconds between the clocks of this machine and the database
log = logging.getLogger("srm.clock")


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; needs nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database and evidence store work, else 503 with what is missing.

    A broker that is away, or refuses to keep anything, delays exports and checks; a
    full folder of exports delays those. Pages still work, so they are named and do not
    take the process out of service. So it is with readers of files: see
    `controls/confined`.
    """
    checks = {"database": _database(), "evidence_store": _store()}
    ready = all(checks.values())
    protection = "triggers and roles" if _two_roles() else "triggers only"
    body = {
        **checks,
        "broker": _broker(),
        "export_folder": _export_folder(),
        "ready": ready,
        "audit_log_protected_by": protection,
        "audit_log": _audit_log(),
        "files_are_read": _readers(),
        "clock_ahead_seconds": _seconds_ahead(),
    }
    answer = JsonResponse(body, status=200 if ready else 503)
    if not ready:
        answer["Retry-After"] = "5"
    return answer


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        return False
    return True


def _seconds_ahead() -> int | None:
    """By how much our clock is ahead of the database's, which says since when something
    is known; more than MAX_DIFFERENCE is in the log (RE-08). None: it does not answer.
    """
    try:
        ahead = (clock.now() - knowledge_now()).total_seconds()
    except DatabaseError:
        return None
    if abs(ahead) > MAX_DIFFERENCE:
        log.warning("The clock is %.0f s ahead of the database's: set one.", ahead)
    return round(ahead)


def _audit_log() -> str:
    """Whether an alarm of the audit log is open (AU-05), without saying of what: the
    administrators' notices do."""
    try:
        last = AuditLogCheck.objects.aggregate(at=Max("checked_at"))["at"]
        if last is None:
            return "not checked yet"
        if AuditLogCheck.objects.alarming().exists():
            return "an alarm is open: see the notices of administrators"
        if last < knowledge_now() - patience():
            return "not checked for too long: does beat run?"
    except DatabaseError:
        return "not known"
    return "as its checkpoints say"


def _export_folder() -> bool:
    try:
        probe_folder(export_folder())
    except OSError:
        return False
    return True


def _broker() -> bool:
    """Whether it takes what is written: full or read-only ones still answer a ping."""
    if not settings.BROKER_URL.startswith("redis"):
        return False
    client = Redis.from_url(
        settings.BROKER_URL, socket_connect_timeout=1, socket_timeout=1
    )
    try:
        return bool(client.set("srm:readyz", "1", ex=60))
    except RedisError:
        return False
    finally:
        client.close()


def _readers() -> str:
    """How files that people send are kept from the network while they are read."""
    try:
        alone = readers_without_network()
    except ReadersAway:
        return "not at all"
    return "without a network" if alone else "with the network of this machine"


def _store() -> bool:
    try:
        return open_store(patient=False).writable()
    except (OSError, StoreUnreachable):
        return False


def _two_roles() -> bool:
    """Whether the role that serves does not own the audit log."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT srm_is_owner()")
            return not cursor.fetchone()[0]
    except DatabaseError:
        return False


@login_not_required
def admin_sign_in(request: HttpRequest) -> HttpResponseRedirect:
    """The admin has no door of its own: sign-in is allauth's, with its MFA."""
    onward = urlencode({"next": request.GET.get("next") or reverse("admin:index")})
    return HttpResponseRedirect(f"{reverse('account_login')}?{onward}")
