"""In which regions components run of which nobody has said it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from controls.base_form import Form
from controls.models import SystemComponent
from evidence.forms.clocks import DayField
from evidence.forms.fields import RegionsField, day_input


class SayRegionsForm(Form):
    """A field for each component, and the one day from which all of it holds."""

    first_day = DayField(
        label="From",
        widget=day_input(),
        help_text=(
            "The first day on which they ran there; of one taken into use later, its"
            " own first day."
        ),
    )

    def __init__(
        self,
        *args: Any,
        components: Sequence[SystemComponent],
        proposed: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.components = components
        first: dt.date | None = min((c.used_from for c in components), default=None)
        self.fields["first_day"].initial = first
        for component in components:
            self.fields[f"regions-{component.uuid}"] = RegionsField(
                label=f"{component}, in use since {component.used_from}",
                required=False,
                initial=", ".join(proposed),
            )

    def regions(self) -> dict[str, list[str]]:
        """The regions by the uuid of each component of which some are named."""
        named = {
            str(component.uuid): self.cleaned_data[f"regions-{component.uuid}"]
            for component in self.components
        }
        # of whose regions somebody has spoken since the page was opened
        for name in self.data:
            uuid = name.removeprefix("regions-")
            if uuid not in named and uuid != name:
                named[uuid] = self.data[name].replace(",", " ").split()
        return {uuid: regions for uuid, regions in named.items() if regions}
