"""The preview of an act on many rows, confirmed: done at once, or by a worker."""

from __future__ import annotations

import datetime as dt
import json

from controls.errors import TransitionNotAllowed
from controls.grammar import count_of
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor, System
from controls.sealed_previews import unseal
from evidence.bulk_acts.act import (
    AGAIN,
    PREVIEW,
    Act,
    Done,
    changing,
    digest_of,
)
from evidence.bulk_acts.runs import begin_run, page_of


def confirm_act(
    act: Act, system: System, token: str, *, by: Actor, today: dt.date
) -> Done:
    """Do what the preview of this token showed, all of it or nothing; of more rows than
    one request carries out, have a worker do it row by row.

    Confirmed again it is the same answer. Raises TransitionNotAllowed when the token
    is too old, another person's, or shows what is not so any more.
    """
    act.require_right(system, by=by)
    verb = f"{act.name} of many rows of system {system.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return Done(**json.loads(key.body))
        body = unseal(PREVIEW, token, system.pk, by=by, again=AGAIN)
        if body["act"] != act.name:
            raise TransitionNotAllowed(f"This is a preview of something else. {AGAIN}")
        values = body["values"]
        if "run" in body:
            run = begin_run(
                act,
                system,
                body["run"],
                values,
                sentence=body["sentence"],
                back=body["back"],
                by=by,
            )
            number = len(run.rows)
            sentence = f"{count_of(number, 'row', 'is')} being worked on, one by one."
            done = Done(number, body["refused"], sentence, page_of(run))
            key.answer_with(200, body=json.dumps(done.__dict__))
            return done
        rows = act.rows(system, body["keys"], values, by=by, today=today, lock=True)
        if digest_of(rows) != body["shown"]:
            raise TransitionNotAllowed("Something changed since. Look at it again.")
        effective = changing(rows)
        refused = [row for row in rows if row.outcome == "refused"]
        done = Done(len(effective), len(refused), body["sentence"], body["back"])
        key.answer_with(200, body=json.dumps(done.__dict__))
        act.carry_out(
            system, [row.key for row in effective], values, by=by, today=today
        )
    return done
