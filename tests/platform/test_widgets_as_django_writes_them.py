"""Widgets are written without Django's templates, and to the same text."""

from __future__ import annotations

import datetime as dt

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

from srm_project.form_renderer import WRITERS, FormRenderer

NASTY = """<i a="b">&'\n "ü" </i>"""
ATTRS = {"id": "id_x", "required": True, "disabled": False, "title": NASTY, "rows": 3}
CHOICES = [
    ("", "None"),
    (1, "One"),
    ("a&b", NASTY),
    ("lazy", lazystr("<Lazy>")),
    ("safe", mark_safe("<b>Bold</b>")),
    (4200, 4200),
    ("Group <1>", [("x", "X"), ("y", "Y")]),
]
VALUES = (None, "", "plain", NASTY, 0, 4200, 1.5, mark_safe("a&amp;b"))
FIELDS = [
    forms.CharField(required=False, max_length=20),
    forms.CharField(required=False, widget=forms.Textarea),
    forms.CharField(required=False, widget=forms.HiddenInput),
    forms.EmailField(required=False),
    forms.IntegerField(required=False, min_value=2),
    forms.DateField(required=False),
    forms.BooleanField(required=False),
    forms.ChoiceField(choices=CHOICES, required=False),
    forms.MultipleChoiceField(choices=CHOICES),
    forms.MultipleChoiceField(
        choices=CHOICES[1:4], widget=forms.CheckboxSelectMultiple
    ),
    forms.ChoiceField(choices=CHOICES[1:4], widget=forms.RadioSelect),
    forms.FileField(required=False),
    forms.CharField(widget=forms.PasswordInput),
]


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: type(f.widget).__name__)
def test_each_widget_reads_as_its_template(field: forms.Field) -> None:
    ours, theirs = FormRenderer(), DjangoTemplates()
    several = isinstance(field, forms.MultipleChoiceField)
    day = dt.date(2026, 11, 23)
    values = ([], ["a&b", "1"]) if several else (*VALUES, day, True, "1")
    for value in values:
        widget = field.widget
        for attrs in ({}, ATTRS):
            written = widget.render('a"<', value, attrs, ours)
            assert written == widget.render('a"<', value, attrs, theirs)
        for option in getattr(widget, "subwidgets", lambda *_: ())("x", value, ATTRS):
            context, name = {"widget": option}, option["template_name"]
            if name in WRITERS:
                assert ours.render(name, context) == theirs.render(name, context)
                alone = {"widget": option | {"wrap_label": True, "label": NASTY}}
                assert ours.render(name, alone) == theirs.render(name, alone)


def test_every_form_of_the_product_is_written_so() -> None:
    assert isinstance(forms.Form().renderer, FormRenderer)
