"""`manage.py keys`: list, rotate, withdraw, re-encrypt."""

import json
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from accounts import clock
from oauth.keys import rotation, signing_keys
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.keys import KEYS
from oauth.models import SigningKey
from smart.time_units import to_datetime


class Command(VerbCommand):
    verb = KEYS

    def handle(self, *, action: str, **options: Any) -> None:
        acts: dict[str, Callable[..., None]] = {
            "list": self._list,
            "rotate": self._rotate,
            "withdraw": self._withdraw,
            "re-encrypt": self._re_encrypt,
        }
        acts[action](**options)

    def _list(self, **options: Any) -> None:
        rows = SigningKey.objects.order_by("algorithm", "pk")
        lines = [f"{row.kid}  {row.algorithm}  {_state(row)}" for row in rows]
        self._print([_facts(row) for row in rows], lines, as_json=options["json"])

    def _rotate(self, *, algorithm: str | None, now: bool, **options: Any) -> None:
        if algorithm not in (None, *signing_keys.ALGORITHMS):
            raise CommandError(f"--algorithm is one of {', '.join(signing_keys.ALGORITHMS)}. Nothing has changed.")
        signing_keys.ensure_keys()
        rotated, refusals = [], []
        for row in rotation.active_keys():
            if algorithm in (None, row.algorithm):
                try:
                    rotated.append(self._rotate_one(row, urgent=now))
                except rotation.NotRotated as refusal:
                    refusals.append(f"{row.algorithm} was not rotated: {refusal}.")
        lines = [f"{one['algorithm']}: {one['active']} signs, {one['retired']} has retired." for one in rotated]
        self._print(rotated, lines, as_json=options["json"])
        if refusals:
            raise CommandError(" ".join(refusals))

    def _rotate_one(self, row: SigningKey, *, urgent: bool) -> dict[str, str]:
        coming = SigningKey.objects.filter(algorithm=row.algorithm, state=SigningKey.State.NEXT).first()
        wait = rotation.seconds_until_announced(coming, now=clock.now()) if coming else 0
        active = rotation.rotate(row.kid, urgent=urgent, by={"reference": "manage.py keys"})
        if wait:
            self.stderr.write(f"{active.kid} was to be published for another {wait} seconds. Servers that check")
            self.stderr.write("signatures themselves refuse its tokens until they fetch the keys again.")
        return {"algorithm": row.algorithm, "active": active.kid, "retired": row.kid}

    def _withdraw(self, *, kid: str, **options: Any) -> None:
        try:
            rotation.withdraw(kid, by={"reference": "manage.py keys"})
        except rotation.NotRotated as refusal:
            raise CommandError(f"{refusal}. Nothing has changed.") from None
        lines = [f"{kid} is withdrawn: it is not published any more."]
        self._print({"withdrawn": kid}, lines, as_json=options["json"])

    def _re_encrypt(self, **options: Any) -> None:
        try:
            moved = signing_keys.re_encrypt()
        except signing_keys.UnreadableKey as problem:
            raise CommandError(f"{problem} Nothing has changed.") from None
        lines = [f"Encrypted anew: {', '.join(moved) or 'nothing, all were under the first key already'}."]
        self._print({"encrypted_anew": list(moved)}, lines, as_json=options["json"])

    def _print(self, facts: Any, lines: list[str], *, as_json: bool) -> None:
        for text in [json.dumps(facts, indent=2)] if as_json else lines:
            self.stdout.write(text)


def _facts(row: SigningKey) -> dict[str, Any]:
    return {
        "kid": row.kid,
        "algorithm": row.algorithm,
        "state": "withdrawn" if row.withdrawn_at else row.state,
        "since": to_datetime(_since(row)).isoformat(),
        "readable": signing_keys.is_readable(row),
    }


def _since(row: SigningKey) -> int:
    return int(row.withdrawn_at or row.retired_at or row.activated_at or row.created_at)


def _state(row: SigningKey) -> str:
    since = f"{to_datetime(_since(row)):%Y-%m-%d %H:%M:%S} UTC"
    if row.withdrawn_at:
        return f"withdrawn {since}"
    if row.state == SigningKey.State.RETIRED:
        until = row.retired_at + signing_keys.PUBLISHED_AFTER
        published = f"published until {to_datetime(until):%Y-%m-%d %H:%M:%S} UTC" if until > clock.now() else "gone"
        return f"retired {since}, {published}"
    return f"{row.state} since {since}{'' if signing_keys.is_readable(row) else ', UNREADABLE'}"
