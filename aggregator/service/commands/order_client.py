"""Orders from a terminal: a request to the service, and what becomes of it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from aggregator.service.commands.errors import OrderInputError, OrderUnavailableError
from aggregator.service.commands.states import ACCEPTED, SENT, WAITING
from devices.settings import read_secret

_TIMEOUT_S: Final = 30.0
_LOOK_S: Final = 0.2
_UNDER_WAY: Final = (WAITING, SENT, ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClient:
    """Gives orders by requests."""

    url: str
    """Where the service answers, such as ``http://127.0.0.1:8080``."""
    token_file: Path
    """File with an operator's token, readable by its owner only."""
    ca_file: Path | None = None
    """Certificate of the service's authority; None for those that the computer trusts."""

    def place(self, order: Mapping[str, object]) -> str:
        """Give an order and return its id.

        Raises
        ------
        OrderInputError
            If the service refuses it, or the token; nothing was ordered.
        OrderUnavailableError
            If it does not answer; whether it has the order is not known.
        """
        return str(self._ask("POST", "/api/commands", json=dict(order))["request_id"])

    def outcome(self, request: str, *, within_s: float) -> dict[str, Any]:
        """Return an order and its commands once it is over, or as it is when the time is.

        Parameters
        ----------
        request : str
            The order's id.
        within_s : float
            How long it is waited for, also where the service is away meanwhile. [s]

        Raises
        ------
        OrderUnavailableError
            If the service does not answer when the time is over.
        """
        until_s = time.monotonic() + within_s
        while True:
            over = time.monotonic() >= until_s
            try:
                order = self._ask("GET", f"/api/orders/{request}")
                if over or is_over(order):
                    return order | {"commands": self._commands(request)}
            except OrderUnavailableError as error:  # the service may be started again
                if over:
                    msg = f"order {request} was given; what became of it is not known: {error}"
                    raise OrderUnavailableError(msg) from error
            time.sleep(_LOOK_S)

    def _commands(self, request: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            query = {"limit": "1000", **cursor}
            page = self._ask("GET", f"/api/commands/{request}", params=query)
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- requests'
        headers = {"Authorization": f"Bearer {read_secret(self.token_file)}"}
        try:
            answer = requests.request(
                method,
                f"{self.url}{path}",
                headers=headers,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
                verify=True if self.ca_file is None else str(self.ca_file),
                **more,
            )
            body = answer.json()
        except (requests.RequestException, OSError) as error:
            msg = (
                f"{self.url} does not answer ({type(error).__name__}); "
                "start the service, or name it with --url"
            )
            raise OrderUnavailableError(msg) from error
        if not answer.ok or not isinstance(body, dict):
            detail = body.get("detail") if isinstance(body, dict) else None
            msg = f"{self.url}: {detail or f'HTTP {answer.status_code}'}"
            raise OrderInputError(msg)
        return body


def is_over(order: Mapping[str, Any]) -> bool:
    """Return whether nothing of an order is under way."""
    return not any(order["states"].get(state) for state in _UNDER_WAY)
