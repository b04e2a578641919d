"""Tokens to a syntax tree.

Precedence, from loose to tight: `||`, `&&`, `== !=`, `< <= > >=`, `!`, indexing. Comparisons associate to the left.
"""

from typing import Protocol, cast

from waterflow_dsl.expressions._ast import (
    Call,
    Comparator,
    Comparison,
    Connective,
    Context,
    Dialect,
    Expression,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    Span,
    Wildcard,
    children,
)
from waterflow_dsl.expressions._errors import ExpressionError, located
from waterflow_dsl.expressions._lexer import Token, TokenKind, tokenize

MAX_DEPTH = 50
"""Levels of nesting in one expression; GitHub's limit."""


class Rules(Protocol):
    """What names may mean; asked in source order, so that the first mistake is the one that is reported."""

    def context(self, node: Context) -> ExpressionError | None: ...
    def function(self, name: str, span: Span) -> ExpressionError | None: ...
    def call(self, node: Call) -> ExpressionError | None: ...


def parse_expression(text: str, *, dialect: Dialect = "waterflow") -> Expression:
    """The syntax tree of an expression, without its `${{ }}`.

    Only the form is judged here; whether names and functions exist is `check_expression`'s business.

    Raises:
        ExpressionError: of kind `lexing` or `parsing`.
    """
    return Parser(text, None).parse(dialect)


class Parser:
    """One pass over one expression; `rules`, when given, refuse names as they are met."""

    def __init__(self, text: str, rules: Rules | None) -> None:
        self._text = text
        self._rules = rules
        self._tokens = tokenize(text)
        self._at = 0
        self._depth = 0

    def parse(self, dialect: Dialect) -> Expression:
        """The whole expression."""
        if self._peek().kind is TokenKind.END:
            return Expression(text=self._text, dialect=dialect, root=None)
        root = self._expression()
        if self._peek().kind is not TokenKind.END:
            raise self._unexpected()
        self._limit_depth(root, 1)
        return Expression(text=self._text, dialect=dialect, root=root)

    def _expression(self) -> Node:
        self._deepen(1)
        node = self._logical("||")
        self._depth -= 1
        return node

    def _logical(self, operator: Connective) -> Node:
        first = self._equality() if operator == "&&" else self._logical("&&")
        if self._peek().symbol != operator:
            return first
        self._deepen(1)
        operands = [first]
        while self._accept(operator):
            operands.append(self._equality() if operator == "&&" else self._logical("&&"))
        self._depth -= 1
        span = Span(first.span.start, operands[-1].span.end)
        return Logical(operator=operator, operands=tuple(operands), span=span)

    def _equality(self) -> Node:
        left = self._relation()
        while operator := self._accept("==", "!="):
            left = _comparison(operator, left, self._relation())
        return left

    def _relation(self) -> Node:
        left = self._unary()
        while operator := self._accept("<", "<=", ">", ">="):
            left = _comparison(operator, left, self._unary())
        return left

    def _unary(self) -> Node:
        operator = self._accept("!")
        if operator is None:
            return self._indexed()
        self._deepen(1)
        operand = self._unary()
        self._depth -= 1
        return Not(operand=operand, span=Span(operator.position, operand.span.end))

    def _indexed(self) -> Node:
        indexable = self._peek().kind is not TokenKind.LITERAL
        node, depth = self._primary(), self._depth
        while indexable and (opening := self._accept(".", "[")):
            key = self._property() if opening.text == "." else self._bracketed()
            self._deepen(1)
            node = Index(target=node, key=key, span=Span(node.span.start, self._end()))
        self._depth = depth
        return node

    def _property(self) -> Node | Wildcard:
        token = self._next()
        if token.kind is TokenKind.NAME:
            return Literal(value=token.text, span=_span(token))
        if token.symbol == "*":
            return Wildcard(span=_span(token))
        raise self._unexpected(back=1)

    def _bracketed(self) -> Node | Wildcard:
        star = self._accept("*")
        key = Wildcard(span=_span(star)) if star else self._expression()
        self._expect("]")
        return key

    def _primary(self) -> Node:
        token = self._next()
        if token.kind is TokenKind.LITERAL:
            return Literal(value=token.value, span=_span(token))
        if token.kind is TokenKind.NAME:
            return self._call(token) if self._peek().symbol == "(" else self._context(token)
        if token.symbol == "(":
            node = self._expression()
            self._expect(")")
            return node
        raise self._unexpected(back=1)

    def _context(self, token: Token) -> Context:
        node = Context(name=token.text, span=_span(token))
        if self._rules:
            _raise(self._rules.context(node))
        return node

    def _call(self, name: Token) -> Call:
        if self._rules:
            _raise(self._rules.function(name.text, _span(name)))
        self._expect("(")
        arguments: list[Node] = []
        if not self._accept(")"):
            arguments.append(self._expression())
            while self._accept(","):
                arguments.append(self._expression())
            self._expect(")")
        span = Span(name.position, self._end())
        node = Call(name=name.text, name_span=_span(name), arguments=tuple(arguments), span=span)
        if self._rules:
            _raise(self._rules.call(node))
        return node

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _end(self) -> int:
        return _span(self._tokens[self._at - 1]).end

    def _accept(self, *symbols: str) -> Token | None:
        token = self._tokens[self._at]
        if token.symbol in symbols:
            self._at += 1
            return token
        return None

    def _expect(self, symbol: str) -> None:
        if self._accept(symbol) is None:
            raise self._unexpected()

    def _unexpected(self, *, back: int = 0) -> ExpressionError:
        """The token at hand is refused; at the end it is the last token that wants a continuation."""
        token = self._tokens[self._at - back]
        if token.kind is not TokenKind.END:
            return self._located("Unexpected symbol", token)
        return self._located("Unexpected end of expression", self._tokens[self._at - back - 1])

    def _located(self, description: str, token: Token) -> ExpressionError:
        return located("parsing", f"{description}: '{token.text}'", token.position, self._text)

    def _deepen(self, levels: int) -> None:
        self._depth += levels
        if self._depth > MAX_DEPTH:
            raise self._located(f"Exceeded max expression depth {MAX_DEPTH}", self._peek())

    def _limit_depth(self, node: Node | Wildcard, depth: int) -> None:
        """Chains of comparisons are read in a loop but nest in the tree: they count as well."""
        if depth > MAX_DEPTH:
            symbol, position = node.span.of(self._text), node.span.start
            description = f"Exceeded max expression depth {MAX_DEPTH}: '{symbol}'"
            raise located("parsing", description, position, self._text)
        for child in children(node):
            self._limit_depth(child, depth + 1)


def _comparison(operator: Token, left: Node, right: Node) -> Comparison:
    span = Span(left.span.start, right.span.end)
    return Comparison(operator=cast("Comparator", operator.text), left=left, right=right, span=span)


def _span(token: Token) -> Span:
    return Span(token.position, token.position + len(token.text))


def _raise(error: ExpressionError | None) -> None:
    if error is not None:
        raise error
