"""A form that came when its session had ended: kept until its sender has signed in.

The fields lie in the new session, and are shown on every page, to the same person only,
until they are sent or let go. A cookie says who was signed in last in this browser:
from anybody else nothing is kept, so that strangers cannot fill the table of sessions.
Files are chosen again, passwords typed again; of a body that is longer than
MAX_KEPT_BYTES nothing is read. What is not kept is said on the sign-in page.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.views.csrf import csrf_failure

from srm_project.typed import field_label, is_secret, texts_among, typed_fields

MAX_KEPT_BYTES = 200_000  # bytes of a body that is read for somebody signed out
MAX_COOKIE_AGE = 7 * 24 * 60 * 60  # seconds since the browser was seen signed in
RENEW_COOKIE_AFTER = 60 * 60  # seconds, so that few answers set it
KEPT = "kept_form"
COOKIE = f"{settings.PREFIX}srm_{settings.INSTANCE_NAME}_last"
SALT = "who was signed in last"
SIGNED_OUT = (
    "You were signed out. Sign in on another page of this browser, and send this again:"
    " nothing here is lost."
)
IS_KEPT = "You were signed out before this was sent. It is kept: sign in and send it."
NOT_KEPT = (
    "You were signed out before this was sent, and it could not be kept: {}. Sign in on"
    " another page of this browser, then go back to your form."
)
TOO_LONG = f"it has more than {MAX_KEPT_BYTES // 1000} kB with its files"
NOT_SEEN_LATELY = "nobody was signed in in this browser lately"
Handler = Callable[..., Any]


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends to the sign-in page whoever has to; keeps what they sent."""

    def handle_no_permission(self, request: HttpRequest, view_func: Handler) -> Any:
        """The redirect to the sign-in page; for scripts of a page the reason, so that
        the page stays as it is: htmx would put nothing in the place of a part."""
        if "X-Upload-Script" in request.headers or "HX-Request" in request.headers:
            context = {"sentence": SIGNED_OUT}
            return render(request, "evidence/refused.html", context, status=401)
        if request.method == "POST" and _is_page(request):
            _keep_or_say_why_not(request)
        return super().handle_no_permission(request, view_func)

    def process_view(
        self, request: HttpRequest, view_func: Handler, args: Any, kwargs: Any
    ) -> Any:
        """As the sign-in asks; a kept form that is sent again is kept no longer."""
        answer = super().process_view(request, view_func, args, kwargs)
        if (
            answer is None
            and request.method == "POST"
            and request.user.is_authenticated
        ):
            kept = request.session.get(KEPT)
            if kept and kept["address"] == request.get_full_path():
                del request.session[KEPT]
        return answer

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        """With a cookie that says who is signed in; without it after signing out."""
        user: Any = getattr(request, "user", None)
        signed_in = user is not None and user.is_authenticated
        if signed_in and _last_person(request, RENEW_COOKIE_AFTER) != user.pk:
            response.set_cookie(
                COOKIE,
                signing.dumps(user.pk, salt=SALT),
                max_age=MAX_COOKIE_AGE,
                secure=settings.HTTPS,
                httponly=True,
                samesite="Lax",
            )
        left = request.method == "POST" and request.path == "/accounts/logout/"
        if left and not signed_in and COOKIE in request.COOKIES:
            response.delete_cookie(COOKIE, samesite="Lax")
        return response


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a page that was opened before its reader signed in anew: the form once more.

    Only where the browser says that it came from a page of ours, and the cookies that
    it sends to us alone say by whom.
    """
    if not (_is_page(request) and _origin_is_ours(request)):
        answer: HttpResponse = csrf_failure(request, reason)
        return answer
    if not request.user.is_authenticated:
        _keep_or_say_why_not(request)
        return redirect_to_login(request.get_full_path())
    context = {"resent": _form_of(request)}
    return render(request, "evidence/opened_before.html", context, status=403)


def for_templates(request: HttpRequest) -> dict[str, Callable[[], Any]]:
    """`kept_form` in every template: what this person sent while signed out."""

    def kept_form() -> dict[str, Any] | None:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        kept = request.session.get(KEPT)
        return _shown(kept) if kept and kept["person"] == user.pk else None

    return {KEPT: kept_form}


def let_go(request: HttpRequest) -> None:
    """Forget the form that is kept."""
    request.session.pop(KEPT, None)


def _keep_or_say_why_not(request: HttpRequest) -> None:
    """Keep a form that a page of ours sent; the sign-in page says what became of it."""
    if _length(request) > MAX_KEPT_BYTES:
        if _origin_is_ours(request):
            messages.warning(request, NOT_KEPT.format(TOO_LONG))
        return
    with suppress(SuspiciousOperation, MultiPartParserError, UnreadablePostError):
        if not _came_from_here(request):
            return
        person = _last_person(request)
        if person is None:
            messages.warning(request, NOT_KEPT.format(NOT_SEEN_LATELY))
            return
        request.session[KEPT] = {"person": person, **_read(request)}
        messages.info(request, IS_KEPT)


def _read(request: HttpRequest) -> dict[str, Any]:
    """A form as it lies in a session: no tokens, no secrets, of files their fields."""
    request.POST  # noqa: B018 - reads the body
    fields = typed_fields(request)
    return {
        "address": request.get_full_path(),
        "fields": [(name, text) for name, text in fields if not is_secret(name)],
        "secrets": [name for name, _ in fields if is_secret(name)],
        "files": sorted(request.FILES),
    }


def _form_of(request: HttpRequest) -> dict[str, Any]:
    if _length(request) <= MAX_KEPT_BYTES:
        return _shown(_read(request))
    address = request.get_full_path()
    return _shown({"address": address, "fields": [], "secrets": [], "files": []})


def _shown(kept: dict[str, Any]) -> dict[str, Any]:
    """The form as the partial shows it: hidden fields, texts to edit, secrets to type
    again, files by name."""
    fields = [(name, value) for name, value in kept["fields"]]
    typed = texts_among(fields)
    return {
        "address": kept["address"],
        "hidden": [field for field in fields if field not in typed],
        "texts": [(name, field_label(name), value) for name, value in typed],
        "secrets": [(name, field_label(name)) for name in kept["secrets"]],
        "files": [(name, field_label(name)) for name in kept["files"]],
    }


def _is_page(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.namespaces in (["evidence"], ["admin"])


def _length(request: HttpRequest) -> int:
    """The announced length of the body; of none that can be read, too long."""
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isdecimal() and len(text) < 12 else MAX_KEPT_BYTES + 1


def _last_person(request: HttpRequest, max_age: int = MAX_COOKIE_AGE) -> int | None:
    """The key of whoever was signed in last in this browser, at most so many seconds
    ago; None for nobody."""
    try:
        key: int = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=max_age
        )
    except signing.BadSignature:
        return None
    return key


def _came_from_here(request: HttpRequest) -> bool:
    """Whether a page of ours sent it: also of views that check that themselves."""
    check = CsrfViewMiddleware(lambda _: HttpResponse())
    return check.process_view(request, _checked, (), {}) is None


def _checked(request: HttpRequest) -> HttpResponse:
    """Stands for a view whose token is checked."""
    return HttpResponse()


def _origin_is_ours(request: HttpRequest) -> bool:
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"
