"""The laws of docs/house.md as constraints and triggers: see 0002_laws.sql beside this file."""

from pathlib import Path

from django.db import migrations



class Migration(migrations.Migration):
    dependencies = [("makegood", "0001_first")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop)
    ]
