"""From the form to the token, with a sentence where there is none."""

from typing import Any

from oauth.workbench.minting.good_token import CannotMint
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.orders.members import create_from_members
from oauth.workbench.orders.order import InvalidOrder
from oauth.workbench.orders.ordered_token import OrderedToken
from smart.http.errors import InvalidRequest


class NoToken(Exception):
    """Why there is none, in a sentence; `field` is what to choose otherwise, "" where nothing helps."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def create_from_form(form: TokenForm, kind: str) -> tuple[OrderedToken, dict[str, Any]]:
    """The token that the form asks for, and the same as JSON. Raises NoToken."""
    try:
        members = form.members(kind)
        return create_from_members(members), members
    except InvalidOrder as problem:
        raise NoToken(str(problem), problem.option) from None
    except CannotMint as problem:
        raise NoToken(f"Such a token cannot be made here: {problem}.") from None
    except InvalidRequest as problem:
        raise NoToken(f"{problem.description}.") from None
