"""What goes wrong on purpose. Everything else is a bug and keeps its traceback.

Messages say what, where and what to do; they carry ids, offsets, types and counts, never customers' text.
"""

__all__ = [
    "AccountingError",
    "BudgetReached",
    "CurationError",
    "EndpointError",
    "KeyFileError",
    "Overloaded",
    "ParamsError",
    "ProviderError",
    "SchemaError",
    "SourceError",
    "TableError",
    "WorkerError",
]


class CurationError(Exception):
    """An expected failure: the command line prints it as one line and exits with 1."""


class SourceError(CurationError):
    """A received file is not what its format promises."""


class ParamsError(CurationError):
    """A params file is missing, unreadable, or has an unknown, misspelt or ill-typed key."""


class KeyFileError(CurationError):
    """The project key cannot be read or made."""


class TableError(CurationError):
    """A folder is not a finished table, or a table cannot be written."""


class SchemaError(CurationError):
    """A table lacks a column, or has one of another type."""


class AccountingError(CurationError):
    """A stage lost or invented a conversation."""


class WorkerError(CurationError):
    """A worker process was ended from outside, most often because memory ran out."""


class ProviderError(CurationError):
    """The language model gave no usable reply."""


class PromptTooLongError(ProviderError):
    """The model has no room for this prompt and its reply, and will have none tomorrow."""


class EndpointError(ProviderError):
    """The endpoint refuses every request alike (key, address, redirect): no use in sending the next one."""


class Overloaded(ProviderError):  # noqa: N818  # a state that passes, not an error in the request
    """The language model is too busy now, but may answer later: worth a retry."""

    def __init__(
        self, message: str, wait_seconds: float | None = None, *, may_be_billed: bool = False, is_throttle: bool = False
    ) -> None:
        """Remember what the endpoint asked for.

        Args:
            message: what happened, in a word.
            wait_seconds: how long it asked to wait.
            may_be_billed: it may have charged for the attempt.
            is_throttle: it gets more requests than it wants.
        """
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.may_be_billed = may_be_billed
        self.is_throttle = is_throttle


class BudgetReached(CurationError):  # noqa: N818  # an agreed end, not a fault: everything paid for is kept
    """A cap on cost, tokens or requests leaves no room for the next request: the command line exits with 4."""
