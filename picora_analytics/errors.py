"""The exceptions of the package: catch :class:`PicoraError` to catch all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "APIError",
    "AuthenticationError",
    "BackupError",
    "ConfirmationError",
    "IncompleteLoadError",
    "JournalError",
    "LockedError",
    "NotFoundError",
    "PermissionDeniedError",
    "PicoraError",
    "PlanError",
    "RateLimitError",
    "ResponseFormatError",
    "SchemaError",
    "SnapshotError",
    "StatusError",
    "TransportError",
    "UnsafePlanError",
]


class PicoraError(Exception):
    """
    Base of every error this package raises on purpose.

    Attributes
    ----------
    receipt : DeletionReceipt or None
        What had been done when a deletion was stopped by this error; None for everything else.
    """

    receipt: Any = None


class APIError(PicoraError):
    """The server, or the way to it, let us down."""


class TransportError(APIError):
    """No usable answer arrived: name not found, refused, timed out or cut off."""


class StatusError(APIError):
    """
    The server answered with a status other than 2xx.

    Attributes
    ----------
    status_code : int
        The HTTP status.
    code : str
        Picora's machine code, such as ``"NOT_FOUND"``; made from the status where the body has none.
    request_id : str or None
        The answer's ``x-request-id``, to quote in a support request.
    retry_after : float
        Seconds the server asks to wait; 0 where it says nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        code: str,
        request_id: str | None = None,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class AuthenticationError(StatusError):
    """401: the key is missing, malformed, revoked or from another deployment."""


class PermissionDeniedError(StatusError):
    """403: the key is known but may not do this."""


class NotFoundError(StatusError):
    """404: there is no such image in this library, or no such route on this server."""


class RateLimitError(StatusError):
    """429, and waiting as long as the server asks would pass ``max_wait``."""


class ResponseFormatError(APIError):
    """A 2xx answer whose body is not what the API documents."""


class IncompleteLoadError(PicoraError):
    """
    The library was not read whole.

    Attributes
    ----------
    images : DataFrame
        What was read. Its status is ``"partial"``: good for looking, never for a plan.
    """

    def __init__(self, message: str, *, images: pd.DataFrame) -> None:
        super().__init__(message)
        self.images = images


class SchemaError(PicoraError, ValueError):
    """A DataFrame lacks a column or a fact that the question needs."""


class SnapshotError(PicoraError):
    """A local snapshot is missing or damaged."""


class LockedError(PicoraError):
    """Another run holds the library."""


class PlanError(PicoraError, ValueError):
    """A plan cannot be made or applied."""


class UnsafePlanError(PlanError):
    """The plan takes too large a share of the library."""


class ConfirmationError(PlanError):
    """The phrase given is for another plan."""


class BackupError(PlanError):
    """A backup could not be made or proved."""


class JournalError(PlanError):
    """The record of a deletion cannot be written, read or trusted."""
