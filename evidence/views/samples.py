"""Samples: drawn from a population, shown item by item, deviations recorded."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from controls.errors import NotPermitted, TransitionNotAllowed
from controls.grammar import count_of
from evidence.exports.sample_csv import sample_csv
from evidence.forms.populations import SampleForm
from evidence.models import Population, Sample, SampleItem
from evidence.models.populations import STANDING
from evidence.populations.samples import draw_sample, record_deviation
from evidence.populations.who_may import may_record_deviation, may_submit_population
from evidence.views.answers import explain, refused, typed_reason
from evidence.views.once import once
from evidence.views.populations import PER_PAGE, population_or_404, population_page
from srm_project.requests import SignedInRequest


def sample_or_404(request: SignedInRequest, uuid: Any) -> Sample:
    """The sample if the person may read it."""
    mine = Sample.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)


@require_POST
@once
def sample_draw(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Draw items from a population."""
    population = population_or_404(request, uuid)
    form = SampleForm(request.POST)
    status = 422
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            made = draw_sample(
                population, form.selection(), reason=reason, by=request.user
            )
        except (NotPermitted, TransitionNotAllowed) as refusal:  # there is no form now
            back = reverse("evidence:population", args=[population.uuid])
            return refused(request, refusal, back=back)
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            messages.success(request, f"{count_of(made.size, 'item', 'is')} drawn.")
            return redirect("evidence:sample", uuid=made.uuid)
    return population_page(request, population, sample_form=form, status=status)


@require_GET
def sample(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Which items were drawn, how, and how far is each?"""
    sample_row = sample_or_404(request, uuid)
    states = [item.state for item in sample_row.items.with_state()]
    rows = Paginator(sample_row.items.for_listing(), PER_PAGE)
    page = rows.get_page(request.GET.get("page"))
    requirement = sample_row.population.requirement
    state = Population.objects.with_state().get(pk=sample_row.population_id).state
    stands = state in STANDING
    context = {
        "ended": "" if stands else state,
        "sample": sample_row,
        "requirement": requirement,
        "page": page,
        "accepted": states.count("accepted"),
        "waiting": states.count("submitted"),
        "may_upload": stands and may_submit_population(requirement, by=request.user),
        "may_deviate": stands and may_record_deviation(sample_row, by=request.user),
    }
    return render(request, "evidence/populations/sample.html", context)


@require_GET
def sample_download(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """The sample as CSV, with all that is needed to draw it again."""
    sample_row = sample_or_404(request, uuid)
    answer = HttpResponse(
        sample_csv(sample_row), content_type="text/csv; charset=utf-8"
    )
    name = (
        f"sample-{sample_row.population.requirement.implementation.control.ref_id}.csv"
    )
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_POST
@once
def deviation_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record that one sampled event was not handled as asked."""
    mine = SampleItem.objects.visible_to(request.user).for_upload()
    item = get_object_or_404(mine, uuid=uuid)
    try:
        record_deviation(item, note=typed_reason(request, "note"), by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, f"Recorded: {item.item.key} deviates.")
    return redirect("evidence:sample", uuid=item.sample.uuid)
