"""Errors that reach the user as one line, each with its process exit code."""


class SemlossError(Exception):
    """Bad input or configuration: the message says what, where, and what to change.

    The command line prints the message alone and ends with `exit_code`.
    """

    exit_code = 2


class TargetNotAttainable(SemlossError):  # noqa: N818 - an answer, not a mistake
    """No point of the fitted surface reaches the asked target."""

    exit_code = 3


class OutsideDomain(SemlossError):  # noqa: N818 - an answer, not a mistake
    """A prediction was asked, with `--strict`, outside the fitted domain."""

    exit_code = 4


class Diverged(Exception):  # noqa: N818 - an outcome that callers retry, not a mistake
    """Training did not converge; the message says how that showed."""
