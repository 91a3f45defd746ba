"""The log of chunks, and where the watch is in it."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import makegood.base.clock

LAWS = Path(__file__).parent / "laws"
WAYS = [
    ("event", "Event"), ("native", "Event in the shop's own form"), ("reading", "Reading"), ("file", "File"), ("stream", "Stream"),
]


class Migration(migrations.Migration):
    dependencies = [("makegood", "0002_laws")]
    operations = [
        migrations.AddField(
            "watchstate", "chunk_done",
            models.IntegerField(default=0, help_text="Events of the next chunk that were taken already: a chunk may be cut by the clock."),
        ),
        migrations.AddField("watchstate", "chunk_id", models.BigIntegerField(default=0)),
        migrations.AddField("watchstate", "chunk_tx", models.BigIntegerField(default=0)),
        migrations.AlterField("eventaside", "way", models.CharField(choices=WAYS, max_length=8)),
        # The logs are made by their laws: Django knows no parts of a day.
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.AlterField("storefact", "way", models.CharField(choices=WAYS, max_length=8)),
            migrations.CreateModel(
                name="StreamChunk",
                fields=[
                    ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                    ("tx", models.BigIntegerField()),
                    ("came_at", models.DateTimeField(default=makegood.base.clock.now, help_text="Our clock.")),
                    ("events", models.IntegerField()),
                    ("first_at", models.DateTimeField(help_text="The earliest of them, by the source's clock.")),
                    ("last_at", models.DateTimeField()),
                    ("keys", models.BinaryField()),
                    ("data", models.BinaryField()),
                    ("texts", models.BinaryField()),
                    ("store", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="makegood.store")),
                ],
            ),
        ]),
        migrations.RunSQL((LAWS / "stream.sql").read_text(), migrations.RunSQL.noop),
    ]
