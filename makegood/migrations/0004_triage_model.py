"""The triage model that people's corrections trained, stored so that every process suggests with the same one."""

import makegood.base.clock
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("makegood", "0003_loaded_rows")]
    operations = [
        migrations.CreateModel(
            name="TriageModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.BinaryField()),
                ("made_at", models.DateTimeField(default=makegood.base.clock.now)),
                ("examples", models.PositiveIntegerField(help_text="Labels of people that it learned from.")),
                ("held_out", models.PositiveIntegerField()),
                ("accuracy", models.FloatField()),
                ("threshold", models.FloatField()),
            ],
        ),
    ]
