"""What contenders do about addresses: authorizations that meet a policy, and what was written down about them."""

from typing import Any

from tests.races.contender import Form
from tests.races.refreshing import RefreshCommands

CALLER = {"client_id": "demo-resource-server", "client_secret": "demo-resource-server-secret"}


class BindingCommands(RefreshCommands):
    """Commands about the addresses of authorizations."""

    def under(self, policy: str, number: int) -> list[tuple[str, Form]]:
        """Launches of different clients under that policy: each access token, and the form that refreshes it."""
        from oauth.models import Client

        made = self.launches(number)
        Client.objects.filter(client_id__in=[form["client_id"] for _, form in made]).update(address_policy=policy)
        return made

    def here(self, form: Form) -> Any:
        """What a resource server hears of one use that races with nobody."""
        ((_, answer),) = self._loop.run_until_complete(self._post("/o/introspect", [form], lambda: None))
        return answer

    def changes(self, client_id: str) -> list[str]:
        """The addresses of the events that tell of a new one."""
        from audit.models import OutboxEvent

        found = OutboxEvent.objects.filter(kind="address-changed", client=client_id)
        return list(found.values_list("address", flat=True))

    def blocks(self, client_id: str) -> int:
        from oauth.models import AddressBlock

        return AddressBlock.objects.filter(client__client_id=client_id).count()

    def bound(self, client_id: str) -> Any:
        from oauth.models import Authorization

        return Authorization.objects.get(client__client_id=client_id).use_address


def used(token: str, address: str) -> Form:
    """A use that the demo FHIR server tells of."""
    return {"token": token, "__client_ip": address, **CALLER}
