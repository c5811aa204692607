"""What is asked of PostgreSQL, and what is set for a session of it."""

from collections.abc import Sequence
from typing import Any

Asked = tuple[str, Sequence[Any]]
BEGIN: Asked = ("BEGIN", ())
COMMIT: Asked = ("COMMIT", ())
# of a standby, and of a primary that was put aside: what they know may be old
TAKES_NO_WRITES = "(pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool)"
# asked of the server, so that what a machine that vanished has locked is free soon; behind PgBouncer nobody can ask
KEEPALIVES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
KEPT_PLANS = {
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    # Few rows out of large tables, each by its index, in the order in which a statement names the tables. The planner
    # guesses a hundred rows for every list of values, and reads whole tables for them; a plan that was made while a
    # table or a partition was empty is kept while it fills.
    "join_collapse_limit": "1",
    "from_collapse_limit": "1",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "enable_material": "off",
    "enable_memoize": "off",
}
