"""From the form to the token, with a sentence where there is none."""

from typing import Any

from oauth.workbench.good_token import CannotMint
from oauth.workbench.hand_out import HandedOut
from oauth.workbench.order import InvalidOrder
from oauth.workbench.tokens_api import ordered_token
from oauth.workbench.tokens_form import TokenForm
from smart.http.errors import InvalidRequest


class NoToken(Exception):
    """Why there is none, in a sentence; `field` is what to choose otherwise, "" where nothing helps."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def order_token(form: TokenForm, kind: str) -> tuple[HandedOut, dict[str, Any]]:
    """The token that the form asks for, and the same as JSON. Raises NoToken."""
    try:
        members = form.members(kind)
        return ordered_token(members), members
    except InvalidOrder as problem:
        raise NoToken(str(problem), problem.option) from None
    except CannotMint as problem:
        raise NoToken(f"Such a token cannot be made here: {problem}.") from None
    except InvalidRequest as problem:
        raise NoToken(f"{problem.description}.") from None
