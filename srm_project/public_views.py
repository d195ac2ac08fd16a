"""Doors beside the pages: sign-in, sign-out, reports of the browser, the icon."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

from allauth.account.views import LoginView, LogoutView, PasswordResetView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import RedirectView

from controls.installation_roles import officer_needed

MAX_REPORT_BYTES = 4096  # bytes of a browser's report that are kept
MAX_REPORTS_A_MINUTE = 60  # of all browsers together
log = logging.getLogger("srm.csp")


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """allauth's sign-in; refused for too many attempts it answers 429 (AZ-01)."""

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page, whose form may lead to the identity provider."""
        response: HttpResponse = super().dispatch(*args, **kwargs)
        if settings.SIGN_ON_PROVIDER:
            policy = {"form-action": [settings.SIGN_ON_PROVIDER.origin]}
            response._csp_update = policy  # type: ignore[attr-defined]
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With how the first account is made, as long as nobody can begin."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        provider = settings.SIGN_ON_PROVIDER
        return context | {
            "officer_needed": officer_needed(),
            "sign_on_name": provider.name if provider else "",
        }

    def form_invalid(self, form: Any) -> HttpResponse:
        """The form with its errors: 429 when the limit is what refused."""
        response: HttpResponse = super().form_invalid(form)
        if form.has_error("__all__", code="too_many_login_attempts"):
            response.status_code = 429
        return response


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView):
    """allauth's sign-out; the browser forgets what it kept of our pages.

    Cookies stay: the session's is deleted anyway, and `"cookies"` would take those of
    every host of our domain.
    """

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out, and say what the browser has to clear."""
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


@method_decorator(login_not_required, name="dispatch")
class ForgottenPassword(PasswordResetView):
    """allauth's form for a link to a new password, where mail reaches anybody."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With whether a mail can be sent at all."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"sends_mail": settings.SENDS_MAIL}


@csrf_exempt
@login_not_required
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """What a browser refused by the content security policy, into the log."""
    if _may_still_report():
        report = request.read(MAX_REPORT_BYTES).decode("utf-8", "replace")
        log.warning("The browser refused something: %s", report)
    return HttpResponse(status=204)


def _may_still_report() -> bool:
    """Whether this minute's reports are few enough: anybody may send one (AZ-09)."""
    minute = f"csp-report:{int(time.time()) // 60}"
    cache.add(minute, 0, 120)
    with suppress(ValueError):  # the cache went away in between
        return bool(cache.incr(minute) <= MAX_REPORTS_A_MINUTE)
    return False


@login_not_required
@require_GET
def icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for /favicon.ico where a page names no icon."""
    return RedirectView.as_view(url=static("srm/favicon.svg"))(request)  # type: ignore[return-value]
