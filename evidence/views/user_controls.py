"""Complementary user entity controls: of a report by a list, in a system what is open;
and what we expect of providers in turn (R26)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.access import is_officer
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from controls.service_names import display_names
from evidence.artifacts.user_controls import (
    import_user_controls,
    preview_user_controls,
    read_user_controls,
    require_open_report,
    sealed_user_controls,
    user_control_rows,
)
from evidence.forms.clocks import clocks_of
from evidence.forms.coverage import ListFileForm
from evidence.forms.matrix import DutyFilter
from evidence.models import ArtifactVersion
from evidence.status.control_status import today_of
from evidence.systems.expected_of_providers import (
    PROVIDER_COLUMNS,
    ProviderDuty,
    expected_of_providers,
    narrowed,
    provider_lines,
)
from evidence.systems.user_controls import (
    USER_CONTROL_COLUMNS,
    expected_user_controls,
    user_control_lines,
)
from evidence.views.access import system_or_404
from evidence.views.answers import refused
from evidence.views.list_place import list_query
from evidence.views.once import SAME_AGAIN
from evidence.views.table_files import table_file
from evidence.views.whole_list import page_of
from srm_project.requests import SignedInRequest


@require_GET
def user_controls(request: SignedInRequest, slug: str) -> HttpResponse:
    """What do the reports that a system relies on expect of us, open ones first?"""
    system = system_or_404(request, slug)
    rows = expected_user_controls(system, today_of(system))
    page = {
        "system": system,
        "rows": rows,
        "open": Counter(row.state for row in rows)["open"],
        "officer": is_officer(request.user, system),
    }
    return render(request, "evidence/matrix/user_controls.html", page)


@require_GET
def user_controls_file(request: SignedInRequest, slug: str) -> HttpResponse:
    """The same as a file: CSV, or `?format=xlsx`."""
    system = system_or_404(request, slug)
    today = today_of(system)
    lines = user_control_lines(expected_user_controls(system, today))
    rows = [USER_CONTROL_COLUMNS, *lines]
    name = f"{system.slug}-complementary-controls-{today}"
    return table_file(request, rows, sheet="Complementary controls", name=name)


@require_GET
def providers_expected(request: SignedInRequest, slug: str) -> HttpResponse:
    """What do we expect of AWS and other providers, and what proves it?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    duties = _duties(system, clocks)
    chosen = DutyFilter(request.GET, duties=duties)
    filters = chosen.filters()
    page = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "duties": duties,
        "page": page_of(request, narrowed(duties, filters)),
        "filter": chosen,
        "kept_filters": filters,
        "list_query": list_query(filters, clocks),
        "counts": Counter(duty.stands for duty in duties),
    }
    return render(request, "evidence/matrix/providers_expected.html", page)


@require_GET
def providers_expected_file(request: SignedInRequest, slug: str) -> HttpResponse:
    """The same as a file, narrowed alike: CSV, or `?format=xlsx`."""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    duties = _duties(system, clocks)
    filters = DutyFilter(request.GET, duties=duties).filters()
    rows = [PROVIDER_COLUMNS, *provider_lines(narrowed(duties, filters))]
    name = f"{system.slug}-expected-of-providers-{clocks.moment.on}"
    return table_file(request, rows, sheet="Expected of providers", name=name)


def _duties(system: Any, clocks: Any) -> list[ProviderDuty]:
    try:
        return expected_of_providers(system, clocks.moment, display_names())
    except LookupError:  # the system was not recorded by then
        return []


@require_http_methods(["GET", "POST"])
def version_user_controls(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Take a list of what a report expects of us, and show what it would register;
    writes nothing."""
    version = _version_or_404(request, uuid)
    sent = request.method == "POST"
    form = ListFileForm(request.POST, request.FILES) if sent else ListFileForm()
    page: dict[str, Any] = {"version": version, "form": form}
    status = 422 if sent else 200
    try:
        require_open_report(version, by=request.user)
        if sent and form.is_valid():
            file = form.cleaned_data["file"]
            preview = preview_user_controls(
                version, read_user_controls(file, file.name), by=request.user
            )
            page["preview"] = preview
            if not preview.errors:
                token = sealed_user_controls(version, preview, by=request.user)
                page["token"] = token
                status = 200
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except TransitionNotAllowed as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        form.add_error("file", refusal.messages)
        page.pop("preview", None)
    return render(request, "evidence/artifacts/user_controls.html", page, status=status)


@require_GET
def version_user_controls_template(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What is registered as a file to fill in and send: CSV, or `?format=xlsx`."""
    version = _version_or_404(request, uuid)
    name = f"user-controls-{version.artifact.series}-{version.starts}"
    rows = user_control_rows(version)
    return table_file(request, rows, sheet="User controls", name=name)


@require_POST
def version_user_controls_import(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Register what the preview showed."""
    version = _version_or_404(request, uuid)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    try:
        number = import_user_controls(version, token, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        back = redirect("evidence:version_user_controls", version.uuid)["Location"]
        return refused(request, refusal, back=back)
    counted = count_of(number, "control of users,controls of users", "is")
    done = (
        f"{counted} registered. Next, an officer of each system that relies on the"
        " report asks a team for each."
    )
    messages.success(request, SAME_AGAIN if before else done)
    return redirect("evidence:artifact", uuid=version.artifact.uuid)


def _version_or_404(request: SignedInRequest, uuid: Any) -> ArtifactVersion:
    mine = ArtifactVersion.objects.visible_to(request.user).for_listing()
    version: ArtifactVersion = get_object_or_404(mine, uuid=uuid)
    return version
