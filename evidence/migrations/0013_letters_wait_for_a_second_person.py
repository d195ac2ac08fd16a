"""A letter registered after the review of its report waits for a second person (R24).

Letters that were there when somebody who had not registered them reviewed the report
go on counting: that review decided on them. Letters registered after the newest such
review counted at once until now although nobody else had read them. Nothing is relied
on unread, so they wait from here on: no acceptance is written for them, since nobody
gave one, and answers as known at an earlier time are judged by the same rule.

Who registered a letter is taken from the log. Only this column is filled in: the
triggers rest meanwhile, for otherwise each letter would look as if it had become known
today, after every review.
"""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# At once, since a table with checks left for the end of a transaction is not altered.
NAME_THE_REGISTRARS = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE evidence_continuityletter DISABLE TRIGGER USER;
UPDATE evidence_continuityletter AS letter SET registered_by_id = event.actor_id
  FROM controls_auditevent AS event
 WHERE event.verb = 'letter.added' AND event.subject_uuid = letter.uuid;
ALTER TABLE evidence_continuityletter ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0006_no_other_addresses"),
        ("evidence", "0012_addresses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="continuityletter",
            name="registered_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(NAME_THE_REGISTRARS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="LetterAcceptance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "uuid",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                (
                    "decision",
                    models.CharField(
                        choices=[("accept", "Accepted"), ("reject", "Rejected")],
                        max_length=6,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("decided_on", models.DateField()),
                ("reviewer_name", models.CharField(max_length=200)),
                (
                    "known_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acceptances",
                        to="evidence.continuityletter",
                    ),
                ),
                (
                    "registered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report_registered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letter_acceptances",
                        to="controls.system",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("letter", "system"),
                        name="letter_decided_once_per_system",
                        violation_error_message=(
                            "This letter is already decided here."
                        ),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("reviewer", models.F("registered_by")), _negated=True
                            ),
                            models.Q(
                                ("reviewer", models.F("report_registered_by")),
                                _negated=True,
                            ),
                        ),
                        name="letter_reviewer_is_not_registrar",
                        violation_error_message=(
                            "Somebody who registered neither the letter nor its report"
                            " must decide on it."
                        ),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decision__in", ["accept", "reject"])),
                        name="letter_decision_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "reject"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="letter_rejection_says_why",
                        violation_error_message="A rejection says why.",
                    ),
                ],
            },
        ),
    ]
