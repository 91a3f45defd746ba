"""What the database itself refuses, tells and keeps in parts: the files of laws/, one a noun."""

from pathlib import Path

from django.db import migrations

LAWS = Path(__file__).parent / "laws"
ORDER = ("cases", "promises", "urgency", "duty", "rooms", "webhooks", "live", "facts", "remedies", "freezes", "study")


class Migration(migrations.Migration):
    dependencies = [("makegood", "0001_first"), ("sessions", "0001_initial")]
    operations = [
        migrations.RunSQL((LAWS / f"{name}.sql").read_text(), migrations.RunSQL.noop) for name in ORDER
    ]
