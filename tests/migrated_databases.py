"""Django's test databases begin as copies of what was migrated once for the whole run."""

import shutil
from pathlib import Path
from typing import Any

from django.db import connections

from tests.running import migrated
from tests.templates import FILES, name_of

ALIASES = ("default", "audit")


def copy_migrated_databases() -> dict[str, Any]:
    """What `setup_databases` must be told to migrate copies, in which it finds nothing to do."""
    engine = connections["default"].vendor
    template = migrated(engine)
    for alias, url in zip(ALIASES, template.databases, strict=False):
        connections[alias].settings_dict["TEST"]["TEMPLATE"] = name_of(url)
    if engine == "sqlite":
        for alias, file in zip(ALIASES, FILES, strict=True):
            connection: Any = connections[alias]
            own = connection.creation._get_test_db_name()
            for left in ("-wal", "-shm"):  # of a run that was killed
                Path(own + left).unlink(missing_ok=True)
            shutil.copy(Path(template.folder) / file, own)
            # nothing here survives a crash, so no commit waits for the disk; servers of their own do wait
            connection.settings_dict["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
    return {"keepdb": engine == "sqlite"}
