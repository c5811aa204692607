"""Why a check cannot be made: raised by whatever it works with."""

NOTHING_TO_DO = "nothing to do"


class Skip(Exception):
    """This check cannot be made here: the reason, and what somebody can do so that it is made."""

    def __init__(self, reason: str, to_run: str = NOTHING_TO_DO) -> None:
        super().__init__(reason)
        self.to_run = to_run
