"""An index that each partition has on PostgreSQL, and the whole table has not: it is made and dropped while others write.

The default partition comes first, for the next ones are made like it. What was broken off begins again: what is there
stays, and what was left invalid is made anew.
"""

from dataclasses import dataclass
from typing import Any

from oauth.migrations._by_expiry import column

PARTITIONS = """
SELECT i.inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = '{table}'::regclass ORDER BY pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT', c.oid
"""
INDEXES = """
SELECT x.indexrelid::regclass::text FROM pg_index x
WHERE x.indrelid = %s::regclass AND substring(pg_get_indexdef(x.indexrelid) FROM ' (USING .*)$') = %s
"""
VALID = f"{INDEXES} AND x.indisvalid"


@dataclass(frozen=True)
class IndexOfPartitions:
    """`definition` is what PostgreSQL calls it, behind the names: no other index is taken for it."""

    table: str
    definition: str

    def add(self, apps: Any, schema_editor: Any) -> None:
        """To each partition that has none."""
        if schema_editor.connection.vendor != "postgresql":
            return
        with schema_editor.connection.cursor() as cursor:
            for partition in column(cursor, PARTITIONS.format(table=self.table)):
                if not column(cursor, VALID, partition, self.definition):
                    self._drop(cursor, partition)
                    cursor.execute(f"CREATE INDEX CONCURRENTLY ON {partition} {self.definition}")

    def remove(self, apps: Any, schema_editor: Any) -> None:
        """From all of them."""
        if schema_editor.connection.vendor != "postgresql":
            return
        with schema_editor.connection.cursor() as cursor:
            for partition in column(cursor, PARTITIONS.format(table=self.table)):
                self._drop(cursor, partition)

    def _drop(self, cursor: Any, partition: str) -> None:
        for index in column(cursor, INDEXES, partition, self.definition):
            cursor.execute(f"DROP INDEX CONCURRENTLY {index}")
