"""django-oauth-toolkit's own clean-up, timed: `python -m bench.toolkit.clear ROWS` prints the seconds for so many."""

import json
import sys
import time

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from oauth2_provider.models import AccessToken  # noqa: E402

FILL = """
INSERT INTO oauth2_provider_accesstoken
    (token, token_checksum, expires, scope, resource, application_id, user_id, created, updated)
SELECT md5(n::text), encode(sha256(n::text::bytea), 'hex'), now() - interval '1 day', scope, resource,
    application_id, user_id, now(), now()
FROM oauth2_provider_accesstoken t, generate_series(1, {}) n
WHERE t.id = (SELECT max(id) FROM oauth2_provider_accesstoken)
"""


def main() -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(int(sys.argv[1])))
        cursor.execute("VACUUM ANALYZE")
    began, count = time.perf_counter(), AccessToken.objects.count()
    call_command("cleartokens")
    took = time.perf_counter() - began
    if count - AccessToken.objects.count() != int(sys.argv[1]):
        raise SystemExit("cleartokens has deleted others than those")
    print(json.dumps(took))


if __name__ == "__main__":
    main()
