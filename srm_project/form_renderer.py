"""Widgets of forms, written as Django's templates write them but without templates.

A page with five forms renders some two hundred of these templates for a few lines of
HTML each, which took a tenth of its time. What is not listed here, and what other apps
bring, is rendered by its template. Tests hold both to the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.formats import localize
from django.utils.html import conditional_escape as escape
from django.utils.safestring import SafeData

FOLDER = "django/forms/widgets/"
Widget = Mapping[str, Any]


class FormRenderer(DjangoTemplates):
    """The FORM_RENDERER."""

    def render(
        self, template_name: str, context: dict[str, Any], request: Any = None
    ) -> str:
        """The HTML of a widget or a form."""
        write = WRITERS.get(template_name)
        if write is None:
            return str(super().render(template_name, context, request))
        return write(context["widget"]).strip()


def _attribute(value: Any) -> str:
    """A value as `stringformat:'s'` leaves it, escaped."""
    return escape(value if isinstance(value, SafeData) else str(value))


def _attributes(widget: Widget) -> str:
    return "".join(
        f" {escape(name)}" + ("" if value is True else f'="{_attribute(value)}"')
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _input(widget: Widget) -> str:
    value = widget["value"]
    shown = "" if value is None else f' value="{_attribute(value)}"'
    kind, name = escape(widget["type"]), escape(widget["name"])
    return f'<input type="{kind}" name="{name}"{shown}{_attributes(widget)}>\n'


def _labelled_input(widget: Widget) -> str:
    """One of several boxes or buttons, inside its label unless that stands apart."""
    if not widget.get("wrap_label"):
        return _input(widget)
    key = widget["attrs"].get("id")
    of = f' for="{escape(key)}"' if key else ""
    return f"<label{of}>{_input(widget)} {_text(widget['label'])}</label>"


def _textarea(widget: Widget) -> str:
    text = _text(widget["value"]) if widget["value"] else ""
    name = escape(widget["name"])
    return f'<textarea name="{name}"{_attributes(widget)}>\n{text}</textarea>'


def _option(option: Widget) -> str:
    value, label = _attribute(option["value"]), _text(option["label"])
    return f'<option value="{value}"{_attributes(option)}>{label}</option>\n'


def _select(widget: Widget) -> str:
    parts = [f'<select name="{escape(widget["name"])}"{_attributes(widget)}>']
    for group, options, _ in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{_text(group)}">')
        parts += [f"\n  {_option(option)}" for option in options]
        if group:
            parts.append("\n  </optgroup>")
    return "".join([*parts, "\n</select>"])


def _text(value: Any) -> str:
    return escape(localize(value))


INPUTS = ("checkbox", "date", "email", "hidden", "number", "text", "url")
WRITERS: Mapping[str, Callable[[Widget], str]] = {
    **{f"{FOLDER}{name}.html": _input for name in INPUTS},
    f"{FOLDER}checkbox_option.html": _labelled_input,
    f"{FOLDER}radio_option.html": _labelled_input,
    f"{FOLDER}select.html": _select,
    f"{FOLDER}select_option.html": _option,
    f"{FOLDER}textarea.html": _textarea,
}
