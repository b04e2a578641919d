"""The one error of the expression language."""

from typing import Literal

ErrorKind = Literal["lexing", "parsing", "evaluation"]
"""Which stage refused: characters (`lexing`), structure and names (`parsing`), or values (`evaluation`)."""


class ExpressionError(ValueError):
    """An expression that cannot be read or evaluated.

    The wording of GitHub's expression engine is kept, so that what people search for is found.

    Attributes:
        kind: the stage that refused.
        message: the whole message; lexing and parsing messages end with the position and the expression.
        position: 1-based position, in characters, of the offending symbol within the expression.
        offset: characters before the expression within its template; 0 for an expression on its own. The place
            within the template is `offset + position`.
        suggestion: the nearest name that exists, when a name is unknown and one is near.
    """

    def __init__(
        self, kind: ErrorKind, message: str, position: int, *, offset: int = 0, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message
        self.position = position
        self.offset = offset
        self.suggestion = suggestion

    def within_template(self, offset: int) -> "ExpressionError":
        """The same error of an expression that starts after `offset` characters of a template."""
        return ExpressionError(self.kind, self.message, self.position, offset=offset, suggestion=self.suggestion)


def located(
    kind: ErrorKind, description: str, position: int, text: str, *, suggestion: str | None = None
) -> ExpressionError:
    """An error in GitHub's form: the description, then where in which expression."""
    message = f"{description}. Located at position {position} within expression: {text}"
    return ExpressionError(kind, message, position, suggestion=suggestion)


class RefusalError(Exception):
    """Why a function refused its arguments; the evaluator adds the position."""


class MemoryLimitError(Exception):
    """The values made by one evaluation are past the limit; the evaluator names the call."""
