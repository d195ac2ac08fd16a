"""What I was told, and how often I get mail about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from evidence.forms.notices import NoticeFilter, PreferenceForm
from evidence.models import Notice
from evidence.notices.lines import NoticeLine, lines_of
from evidence.notices.reading import choose, frequency_of, mark_read
from evidence.views.upload_target import uuid_or_404
from srm_project.requests import SignedInRequest

PER_PAGE = 100


@require_GET
def notices(request: SignedInRequest) -> HttpResponse:
    """What am I told, and did a mail about it leave?"""
    chosen = NoticeFilter(request.GET)
    mine = Notice.objects.visible_to(request.user).for_listing()
    page = Paginator(chosen.narrow(mine), PER_PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    unread = [row for row in rows if row.is_unread]
    others = [row for row in rows if not row.is_unread]
    # news of one act is one line; what is over stays in the order of the list
    lines = [*lines_of(unread), *(NoticeLine([row]) for row in others)]
    context = {"page": page, "lines": lines, "filter": chosen}
    return render(request, "evidence/notices/list.html", context)


@require_GET
def notice(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Open the one thing a notice is about; it is marked as read by the button.

    The address stands in mails, and what follows links in mails is no reader.
    """
    mine = Notice.objects.visible_to(request.user)
    return redirect(get_object_or_404(mine, uuid=uuid).path)


@require_POST
def notice_read(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Mark one as read."""
    mine = Notice.objects.visible_to(request.user)
    notice_row = get_object_or_404(mine, uuid=uuid)
    mark_read(mine.filter(pk=notice_row.pk), by=request.user)
    messages.success(request, "Marked as read.")
    return redirect("evidence:notices")


@require_POST
def notices_read(request: SignedInRequest) -> HttpResponse:
    """Mark as read: those of one line, or all."""
    mine = Notice.objects.visible_to(request.user).unread()
    if named := request.POST.getlist("notice"):
        mine = mine.filter(uuid__in=[uuid_or_404(text) for text in named])
    count = mark_read(mine, by=request.user)
    messages.success(request, f"{count} marked as read.")
    return redirect("evidence:notices")


@require_http_methods(["GET", "POST"])
def notice_settings(request: SignedInRequest) -> HttpResponse:
    """How often do I want mail?"""
    first = {"frequency": frequency_of(request.user)}
    form = PreferenceForm(request.POST or None, initial=first)
    if form.is_valid():
        choose(request.user, form.cleaned_data["frequency"])
        messages.success(request, "Saved: mail comes as you chose, from now on.")
        return redirect("evidence:notice_settings")
    status = 400 if form.errors else 200
    context = {"form": form}
    return render(request, "evidence/notices/settings.html", context, status=status)
