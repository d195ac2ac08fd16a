"""Forms that make something make it once: their token is an idempotency key.

`{{ form_token }}` in a template is a new token each time it is written out, so every
form on every page that was shown has its own; a script keeps it for whoever goes back
(`static/srm/forms.js`), since the page is fetched anew then. The same form sent again,
by a double click or after going back, leads to what it made. Sent again with other
words it makes nothing: what was typed is kept, and may be submitted as another. So does
a form with a new token and the words of one that was sent some minutes ago: without the
script, whoever goes back has such a form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from secrets import token_hex
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from controls import clock
from controls.idempotency import (
    KeyedRequest,
    KeyReused,
    digest_of,
    first_use,
    same_before,
    was_used,
)
from controls.models.idempotency import IdempotencyKey
from evidence.views.answers import redirect_for_upload, refused
from srm_project.requests import SignedInRequest
from srm_project.typed import typed_texts

FIELD = "form_token"
AS_ANOTHER = "as_another"  # the button of the page that asks
NOT_TYPED = (FIELD, AS_ANOTHER, "csrfmiddlewaretoken")
ASKED_WITHIN = dt.timedelta(minutes=10)  # for the same words under another token
SAME_AGAIN = "This was submitted before: here is what it made. Nothing was added."
View = Callable[..., HttpResponse]


def form_token(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """For templates: a new token wherever `{{ form_token }}` stands."""
    return {FIELD: lambda: token_hex(18)}


def once(view: View) -> View:
    """For views that answer with a redirect where they made something.

    A form without a token is taken as it comes. Apply it inside whatever must happen
    before the body is read.
    """
    return _once(view, asks=True)


def once_each(view: View) -> View:
    """As `once`, for what is often wanted anew with the same words: an export."""
    return _once(view, asks=False)


def _once(view: View, *, asks: bool) -> View:

    @wraps(view)
    def handle(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = _token(request, **kwargs)
        if not token:
            return view(request, *args, **kwargs)
        try:
            keyed = _keyed(request, token)
            with first_use(keyed) as row:
                if row.answered:
                    messages.info(request, SAME_AGAIN)
                    made = redirect(row.headers["Location"])
                    return redirect_for_upload(request, made)
                before = _sent_just_now(request, keyed) if asks else None
                if before is not None:
                    return _used_form_page(request, before, same=True)
                answer = view(request, *args, **kwargs)
                if "Location" in answer:
                    place = {"Location": answer["Location"]}
                    row.answer_with(answer.status_code, headers=place)
            return answer
        except KeyReused as refusal:
            return _used_form_page(request, refusal.first)
        except ValidationError as refusal:
            return refused(request, refusal)

    handle.once = True  # type: ignore[attr-defined]
    return handle


def was_sent(request: SignedInRequest) -> bool:
    """Whether a form of this token was sent before, by the same person.

    What is slow and makes nothing is done for one that was not, before its view.
    """
    token = _token(request)
    return bool(token) and was_used(request.user, token)


def _token(request: SignedInRequest, **kwargs: Any) -> str:
    """The form's own, or (of a preview) the one in the address; empty for none."""
    if request.method != "POST":
        return ""
    return request.POST.get(FIELD) or str(kwargs.get("token", ""))


def typed(request: SignedInRequest) -> dict[str, list[str]]:
    """The fields that a person filled in, by name."""
    fields = request.POST.lists()
    return {name: values for name, values in fields if name not in NOT_TYPED}


def _keyed(request: SignedInRequest, token: str) -> KeyedRequest:
    files = {name: request.FILES.getlist(name) for name in request.FILES}
    digest = digest_of([typed(request), digest_of(request.FILES) if files else ""])
    return KeyedRequest(request.user, token, f"POST {request.get_full_path()}", digest)


def _sent_just_now(
    request: SignedInRequest, keyed: KeyedRequest
) -> IdempotencyKey | None:
    """What the same words made under another token. Of files there is a rule of their
    own (`twins_of`); a form without a word that somebody typed may come often."""
    if AS_ANOTHER in request.POST or request.FILES or not typed_texts(request):
        return None
    return same_before(keyed, since=clock.now() - ASKED_WITHIN)


def _used_form_page(
    request: SignedInRequest, first: IdempotencyKey, *, same: bool = False
) -> HttpResponse:
    """What the form made, and all that was typed now, ready to be another."""
    context = {
        "same": same,
        "made": first.headers.get("Location", ""),
        "typed": [(name, v) for name, values in typed(request).items() for v in values],
        "files": {
            name: [file.name for file in request.FILES.getlist(name)]
            for name in request.FILES
        },
    }
    status = 409 if same else 422
    return render(request, "evidence/form_used.html", context, status=status)
