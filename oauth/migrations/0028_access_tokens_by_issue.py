"""On PostgreSQL access tokens are found by when they were issued, so that addresses are forgotten without a look at all.

They lie in that order. So it takes a line for each 32 pages and not one for each row, and no look-up of a token can take
it: that names no moment of issue. Where addresses are forgotten before a partition is full, their rows move and the
order is lost there: then more pages are read. Nobody waits for the index.
"""

from django.db import migrations

from oauth.migrations._index_of_partitions import IndexOfPartitions

BY_ISSUE = IndexOfPartitions(
    "oauth_accesstoken", "USING brin (issued_at) WITH (pages_per_range='32', autosummarize='on')"
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("oauth", "0027_one_wait_for_partitions")]
    operations = [migrations.RunPython(BY_ISSUE.add, BY_ISSUE.remove)]
