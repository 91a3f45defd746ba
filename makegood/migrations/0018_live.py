"""Presence in a war room, and what open screens are told of: see 0018_live.sql beside this file."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('makegood', '0017_incidents'), ("sessions", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="presence",
            name="place",
            field=models.CharField(choices=[("sheet", "on the sheet"), ("room", "in the war room")], db_default="sheet", default="sheet", max_length=5),
        ),
        migrations.RemoveConstraint(model_name="presence", name="one_presence_each"),
        migrations.AddConstraint(
            model_name="presence",
            constraint=models.UniqueConstraint(models.F("case"), models.F("user"), models.F("place"), name="one_presence_each"),
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop),
    ]
