"""What every form of the product does: each error is one sentence that needs no label.

The same sentence stands in the summary above the form, linked, and at its field
(`evidence/partials/errors.html`, `field_errors.html`). Django's own texts only make
sense beside a label ("This field is required."): they are replaced here by sentences
that name the field. Sentences of our own rules stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from controls.grammar import count_of
from controls.one_line import refuse_other_lines

# What Django's validators say; the texts of fields are read from the fields.
OF_VALIDATORS = frozenset({"max_length", "max_value", "min_value"})
BEGINNING_OF_THEIRS = "Ensure this value"


def _required(field: forms.Field, label: str, params: Mapping[str, Any]) -> str:
    if isinstance(field, forms.FileField):
        return "Choose at least one file." if _takes_many(field) else "Choose a file."
    if isinstance(field, (forms.MultipleChoiceField, forms.ModelMultipleChoiceField)):
        return f"Choose at least one of “{label}”."
    if isinstance(field, (forms.ChoiceField, forms.ModelChoiceField)):
        return f"Choose “{label}”."
    if isinstance(field, forms.BooleanField):
        return f"Tick “{label}”."
    return f"“{label}” is missing."


def _takes_many(field: forms.Field) -> bool:
    return bool(getattr(field.widget, "allow_multiple_selected", False))


def _too_long(field: forms.Field, label: str, params: Mapping[str, Any]) -> str:
    limit, shown = params.get("limit_value", 0), params.get("show_value", 0)
    most = count_of(int(limit), "character")
    return f"“{label}” may have at most {most}; it has {shown:,}."


def _too_large(field: forms.Field, label: str, params: Mapping[str, Any]) -> str:
    return f"“{label}” must be {params['limit_value']} at most."


def _too_small(field: forms.Field, label: str, params: Mapping[str, Any]) -> str:
    return f"“{label}” must be {params['limit_value']} at least."


def _no_choice(field: forms.Field, label: str, params: Mapping[str, Any]) -> str:
    return f"“{label}” offers no such choice: choose one of those shown."


def _no_value(field: forms.Field, label: str, params: Mapping[str, Any]) -> str:
    if isinstance(field, forms.IntegerField):
        return f"“{label}” must be a whole number."
    if isinstance(field, forms.EmailField):
        return f"“{label}” must be an address such as ada@example.org."
    if isinstance(field, forms.DateField):
        return f"“{label}” must be a day such as 2026-10-31."
    return f"“{label}” cannot be read."


Sentence = Callable[[forms.Field, str, Mapping[str, Any]], str]
SENTENCES: Mapping[str, Sentence] = {
    "required": _required,
    "max_length": _too_long,
    "max_value": _too_large,
    "min_value": _too_small,
    "invalid_choice": _no_choice,
    "invalid_list": _no_choice,
    "invalid_pk_value": _no_choice,
    "invalid": _no_value,
}


def in_words(field: forms.Field, label: str, error: ValidationError) -> ValidationError:
    """The error with each of Django's own texts as a sentence that names the field."""
    return ValidationError([_sentence(field, label, one) for one in error.error_list])


def _sentence(
    field: forms.Field, label: str, error: ValidationError
) -> ValidationError:
    sentence = SENTENCES.get(error.code or "")
    if sentence is None or not _is_of_django(field, error):
        return error
    return ValidationError(sentence(field, label, error.params or {}), error.code)


def _is_of_django(field: forms.Field, error: ValidationError) -> bool:
    """Whether the text is one that Django gives every field of this kind."""
    texts: dict[str, Any] = {}
    for kind in reversed(type(field).__mro__):
        if kind.__module__.startswith("django."):
            texts.update(getattr(kind, "default_error_messages", {}))
    if error.code in texts:
        return str(error.message) == str(texts[error.code])
    # A plural text of Django is empty until its number is filled in.
    return error.code in OF_VALIDATORS and error.messages[0].startswith(
        BEGINNING_OF_THEIRS
    )


DASHES = "---------"  # what Django shows where nothing is chosen yet


def _name_no_choice(field: forms.Field) -> None:
    """Where nothing is chosen, a word instead of Django's dashes."""
    nothing = "Choose" if field.required else "None"
    if isinstance(field, forms.ModelChoiceField):
        if field.empty_label == DASHES:
            field.empty_label = nothing
    elif isinstance(field, forms.ChoiceField):
        choices = list(field.choices)  # type: ignore[arg-type]
        if choices and choices[0] == ("", DASHES):
            field.choices = [("", nothing), *choices[1:]]


class NamedErrors(forms.BaseForm):
    """Errors of fields each say what they are about; no choice has a name too, and a
    field of one line takes one, unless it `takes_lines` that a page's own box sends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _name_no_choice(field)
            of_lines = getattr(field, "takes_lines", False)
            if type(field.widget) is forms.TextInput and not of_lines:
                field.validators.append(refuse_other_lines)

    def add_error(self, field: str | None, error: Any) -> None:
        """As Django's; of its own texts, sentences that name the field."""
        if not isinstance(error, ValidationError):
            error = ValidationError(error)
        if hasattr(error, "error_dict"):
            by_field = error.error_dict.items()
            error = ValidationError(
                {
                    name: self._in_words(name, ValidationError(of))
                    for name, of in by_field
                }
            )
        else:
            error = self._in_words(field, error)
        super().add_error(field, error)

    def _in_words(self, name: str | None, error: ValidationError) -> ValidationError:
        if name is None or name not in self.fields:
            return error
        bound = self[name]
        return in_words(bound.field, str(bound.label), error)


class Form(NamedErrors, forms.Form):
    """A form whose errors each say what they are about."""


class ModelForm(NamedErrors, forms.ModelForm):
    """As `Form`, of a model."""
