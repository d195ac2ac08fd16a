"""Answers to a person whose request could not be done, with the right status."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refused(request: HttpRequest, refusal: ValidationError) -> HttpResponse:
    """A page that says why, under the refusal's own status (403, 409, 413 ...)."""
    status = getattr(refusal, "status_code", 400)
    return explained(request, " ".join(refusal.messages), status)


def explained(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    """A page with one sentence and a way back."""
    context = {"sentence": sentence, "status": status}
    return render(request, "evidence/refused.html", context, status=status)
