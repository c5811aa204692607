"""What contenders do about signing keys."""

from tests.races.contender import Commands

DAY = 86_400_000_000


class RotationCommands(Commands):
    """Commands about the ES256 keys."""

    def due(self) -> tuple[str, str]:
        """The active key, old enough for the schedule, and the next one, published long enough."""
        from accounts import clock
        from oauth.keys import signing_keys
        from oauth.models import SigningKey

        signing_keys.ensure_keys()
        found = SigningKey.objects.filter(algorithm="ES256")
        found.filter(state="active").update(activated_at=clock.now() - 100 * DAY)
        found.filter(state="next").update(created_at=clock.now() - DAY)
        return found.get(state="active").kid, found.get(state="next").kid

    def rotate(self) -> int:
        """How often this process rotated: every second one as the schedule does, the others as the command."""
        import os

        from oauth.keys import rotation

        self._barrier.wait()
        if os.getpid() % 2:
            return rotation.rotate_due()
        row = rotation.active_keys().get(algorithm="ES256")
        return self._rotated(row.kid)

    def rotate_in_haste(self, kid: str) -> int:
        self._barrier.wait()
        return self._rotated(kid, urgent=True)

    def _rotated(self, kid: str, *, urgent: bool = False) -> int:
        from oauth.keys import rotation

        try:
            rotation.rotate(kid, urgent=urgent)
        except rotation.NotRotated:
            return 0
        return 1

    def withdraw(self, kid: str) -> None:
        from oauth.keys import rotation

        self._barrier.wait()
        rotation.withdraw(kid)

    def standing(self) -> list[tuple[str, str]]:
        """The ES256 keys that sign or wait."""
        from oauth.models import SigningKey

        rows = SigningKey.objects.filter(algorithm="ES256").exclude(state="retired").order_by("state")
        return list(rows.values_list("kid", "state"))

    def next(self) -> str:
        from oauth.models import SigningKey

        return SigningKey.objects.get(algorithm="ES256", state="next").kid

    def retired(self, kid: str) -> bool:
        from oauth.models import SigningKey

        return SigningKey.objects.get(kid=kid).state == "retired"
