"""Forms that make something make it once: their token is an idempotency key.

`{{ form_token }}` in a template is a new token each time it is written out, so every
form on every page that was shown has its own; a script keeps it for whoever goes back
(`static/srm/forms.js`), since the page is fetched anew then. The same form sent again,
by a double click or after going back, leads to what it made. Sent again with other
words it makes nothing: what was typed is kept, and may be submitted as another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from secrets import token_hex
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from controls.idempotency import (
    KeyedRequest,
    KeyReused,
    digest_of,
    first_use,
    was_used,
)
from evidence.views.answers import redirect_for_upload, refused
from srm_project.requests import SignedInRequest

FIELD = "form_token"
NOT_TYPED = (FIELD, "csrfmiddlewaretoken")
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

    @wraps(view)
    def handle(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        token = _token(request, **kwargs)
        if not token:
            return view(request, *args, **kwargs)
        try:
            with first_use(_keyed(request, token)) as row:
                if row.answered:
                    messages.info(request, SAME_AGAIN)
                    made = redirect(row.headers["Location"])
                    return redirect_for_upload(request, made)
                answer = view(request, *args, **kwargs)
                if "Location" in answer:
                    place = {"Location": answer["Location"]}
                    row.answer_with(answer.status_code, headers=place)
            return answer
        except KeyReused as refusal:
            return _used_form_page(request, refusal)
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


def _used_form_page(request: SignedInRequest, refusal: KeyReused) -> HttpResponse:
    """What the form made, and all that was typed now, ready to be another."""
    context = {
        "made": refusal.first.headers.get("Location", ""),
        "typed": [(name, v) for name, values in typed(request).items() for v in values],
        "files": {
            name: [file.name for file in request.FILES.getlist(name)]
            for name in request.FILES
        },
    }
    return render(request, "evidence/form_used.html", context, status=422)
