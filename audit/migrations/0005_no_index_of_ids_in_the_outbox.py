from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_no_index_for_like")]

    operations = [migrations.RemoveConstraint(model_name="outboxevent", name="outboxevent_event_id")]
