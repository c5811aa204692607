"""What a first start draws for itself."""

import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from smartauth.data_folder import exit_if_unusable


@exit_if_unusable()
def read_or_create_secret(path: Path) -> str:
    """The secret in this file, drawn (mode 0600) if there is none. Two processes starting at once get the same."""
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # a name of its own: containers on one volume have the same process id, and would write into each other's draft
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return path.read_text(encoding="ascii")
