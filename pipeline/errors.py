"""The one exception that means 'the user can mend this'."""

from __future__ import annotations


class UserError(Exception):
    """A mistake in input, configuration or environment that the user can mend.

    The message says what was wrong, where, and what to do next. Command-line entries print it
    without a traceback and exit with status 2.
    """
