"""A process of its own that works on one job, to be killed on the way.

`python -m tests.evidence.jobs.working_child TASK KEY`: the name of a Celery task and
the primary key of its row.
"""

from __future__ import annotations

import sys

import django


def main(task: str, pk: str) -> None:
    """Run the task as a worker would, in this process."""
    django.setup()
    from srm_project.celery import app

    app.loader.import_default_modules()
    app.tasks[task].run(int(pk))


if __name__ == "__main__":
    main(*sys.argv[1:])
