"""Addresses that open private images for a while, asked for sparingly."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from picora_analytics.client.client import Client
from picora_analytics.client.pictures import sign
from picora_analytics.client.retrying import StoppedError
from picora_analytics.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    PicoraError,
    StatusError,
)

__all__ = ["Signing"]

# The service grants 60 of the upload tier a minute (docs, rate limits); uploads of others must get through, too.
A_MINUTE = 30
GOOD_FOR = (
    50 * 60.0
)  # Seconds; a signed address opens its image for an hour (OpenAPI: expSeconds, default 3600).
WAKE = 0.1
# One image may be gone; of this many in a row it is the route that is not there.
MISSING_IN_A_ROW = 3


class Signing:
    """
    Give signed addresses: at most half of what the service allows a minute, each asked for once.

    A key that may not sign is refused once, and the service is not asked again. It may be called from several
    threads; one at a time asks.

    Parameters
    ----------
    client : Client
        Of the account that the images belong to.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, tuple[float, str]] = {}
        self._asked: deque[float] = deque()
        self._missing = 0
        self._lock = threading.Lock()
        self.refused = False

    def __call__(self, image_id: str, stopped: Callable[[], bool]) -> str | None:
        """Give an address; None where the key may not sign, or the picture is no longer wanted."""
        with self._lock:
            until, address = self._known.get(image_id, (0.0, ""))
            if time.monotonic() < until:
                return address
            while not self.refused and not stopped():
                pause = self._pause()
                if not pause:
                    return self._ask(image_id)
                time.sleep(min(pause, WAKE))
            return None

    def _pause(self) -> float:
        """Give the seconds until the next may be asked for."""
        now = time.monotonic()
        while self._asked and self._asked[0] <= now - 60:
            self._asked.popleft()
        return self._asked[0] + 60 - now if len(self._asked) >= A_MINUTE else 0.0

    def _ask(self, image_id: str) -> str | None:
        self._asked.append(time.monotonic())
        try:
            address = sign(self._client, image_id)
        except (AuthenticationError, PermissionDeniedError):
            self.refused = True
        except NotFoundError:
            self._missing += 1
            self.refused = self._missing >= MISSING_IN_A_ROW
        except StatusError as error:
            self.refused = error.status_code in (405, 501)
        except (PicoraError, StoppedError):
            pass
        else:
            self._missing = 0
            self._known[image_id] = time.monotonic() + GOOD_FOR, address
            return address
        return None
