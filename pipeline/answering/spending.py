"""Hard caps on what a model may cost: room is reserved before a request is sent, for the worst it can cost, and settled after.

The account lies beside the kept replies, in the same file, so a reply and its price are written in one transaction. One
statement checks the caps and reserves, so they hold for several processes at once. What a killed process had under way
stays reserved at its worst: it may have been billed, and nobody can tell.
"""

import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from pydantic import Field

from pipeline.answering.request import Reply, Request
from pipeline.errors import BudgetReached, ParamsError
from pipeline.params import Section

PICO: Final = 10**12
"""Money is counted in integers: a price per million tokens with 6 decimals is whole in 1e-12 of a unit per token."""

MILLION: Final = 10**6

TABLE: Final = """
CREATE TABLE IF NOT EXISTS account (
  budget TEXT PRIMARY KEY,
  requests INTEGER NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0,
  held_requests INTEGER NOT NULL DEFAULT 0, held_tokens INTEGER NOT NULL DEFAULT 0, held_cost INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID
"""

RESERVE: Final = """
UPDATE account SET held_requests = held_requests + 1, held_tokens = held_tokens + :tokens, held_cost = held_cost + :cost
WHERE budget = :budget AND requests + held_requests + 1 <= :max_requests
  AND tokens + held_tokens + :tokens <= :max_tokens AND cost + held_cost + :cost <= :max_cost
"""

RELEASE: Final = """
UPDATE account SET held_requests = held_requests - 1, held_tokens = held_tokens - :tokens, held_cost = held_cost - :cost
WHERE budget = :budget
"""

SETTLE: Final = """
UPDATE account SET requests = requests + 1, tokens = tokens + :paid_tokens, cost = cost + :paid_cost,
  held_requests = held_requests - 1, held_tokens = held_tokens - :tokens, held_cost = held_cost - :cost
WHERE budget = :budget
"""

NO_CAP: Final = 2**62


class Price(Section):
    """What a model costs."""

    input_per_million: Decimal = Field(ge=0, decimal_places=6)
    """A million tokens of prompt."""

    output_per_million: Decimal = Field(ge=0, decimal_places=6)
    """A million tokens of reply."""


class PriceParams(Section):
    """The user's own price table; none is shipped, since prices change."""

    currency: str
    """For messages only."""

    as_of: date | None
    """Day on which the prices were looked up."""

    batch_share: Decimal = Field(ge=0, le=1, decimal_places=6)
    """Share of these prices that a request in a batch costs."""

    models: Mapping[str, Price]
    """Price by model, as named in generate.model.name."""


class BudgetParams(Section):
    """Caps that hold over all runs and processes which share a folder of replies and name the same budget."""

    name: str
    """A new name starts from zero: one per month, say."""

    max_cost: Decimal | None = Field(ge=0, decimal_places=6)
    """In the currency of the prices; null: no cap."""

    max_tokens: int | None = Field(ge=0)
    """Prompt and reply together; null: no cap."""

    max_requests: int | None = Field(ge=0)
    """Requests that were or may have been billed; null: no cap."""


@dataclass(frozen=True)
class Amount:
    """Tokens, and their cost in 1e-12 of a unit."""

    tokens: int
    cost: int
    model: str
    """Whose prices it was counted in."""


class Account:
    """What was spent on one budget, and the way to spend more. In one thread."""

    def __init__(self, connection: sqlite3.Connection, budget: BudgetParams, prices: PriceParams, *models: str) -> None:
        """Open the account for requests to these models.

        Raises:
            ParamsError: there is a cap on cost, and no price for one of them.
        """
        self._per_token: dict[str, tuple[int, int]] = {}
        for model in models:
            price = prices.models.get(model)
            if price is None and budget.max_cost is not None:
                raise ParamsError(
                    f"generate.budget.max_cost is set, and generate.prices.models has no price for {model!r}; "
                    "add it with its date"
                )
            both = (price.input_per_million, price.output_per_million) if price else (Decimal(0), Decimal(0))
            self._per_token[model] = (int(both[0] * PICO / MILLION), int(both[1] * PICO / MILLION))
        self._budget, self._currency = budget, prices.currency
        self._caps = {
            "budget": budget.name,
            "max_requests": NO_CAP if budget.max_requests is None else budget.max_requests,
            "max_tokens": NO_CAP if budget.max_tokens is None else budget.max_tokens,
            "max_cost": NO_CAP if budget.max_cost is None else int(budget.max_cost * PICO),
        }
        self._connection = connection
        connection.execute(TABLE)
        connection.execute("INSERT OR IGNORE INTO account (budget) VALUES (?)", (budget.name,))

    def worst(self, request: Request) -> Amount:
        """The most that one attempt at a request can cost: a token is at least one byte of the body, a reply is full."""
        sent = len(request.encoded)
        candidates = int(request.extra.get("n") or 1)
        return self._amount(request.model, sent, request.max_tokens * candidates)

    def _amount(self, model: str, input_tokens: int, output_tokens: int) -> Amount:
        sent, received = self._per_token[model]
        return Amount(input_tokens + output_tokens, input_tokens * sent + output_tokens * received, model)

    def reserve(self, worst: Amount) -> bool:
        """Set room aside for one attempt; False when a cap leaves none."""
        values = {**self._caps, "tokens": worst.tokens, "cost": worst.cost}
        return self._connection.execute(RESERVE, values).rowcount == 1

    def release(self, worst: Amount) -> None:
        """Give back what was reserved for an attempt that was certainly not billed."""
        self._connection.execute(RELEASE, {"budget": self._budget.name, "tokens": worst.tokens, "cost": worst.cost})

    def settle(self, worst: Amount, reply: Reply, share: Decimal = Decimal(1)) -> None:
        """Replace what was reserved by what the reply says it cost; a reply that does not say costs the worst.

        `share`: of the price, for replies that came in a batch.
        """
        paid = self._amount(worst.model, reply.input_tokens, reply.output_tokens) if reply.input_tokens else worst
        cost = math.ceil(paid.cost * share)
        self._connection.execute(
            SETTLE,
            {
                "budget": self._budget.name,
                "tokens": worst.tokens,
                "cost": worst.cost,
                "paid_tokens": paid.tokens,
                "paid_cost": cost,
            },
        )

    def spent(self) -> dict[str, float]:
        """What was spent and what is held, for people: requests, tokens, cost, each also as `held_`."""
        names = ("requests", "tokens", "cost", "held_requests", "held_tokens", "held_cost")
        query = f"SELECT {', '.join(names)} FROM account WHERE budget = ?"  # noqa: S608  # constants
        row = self._connection.execute(query, (self._budget.name,)).fetchone()
        return {name: value / PICO if name.endswith("cost") else value for name, value in zip(names, row, strict=True)}

    def reached(self) -> BudgetReached:
        """The error that says which budget is used up, and by what."""
        spent, budget = self.spent(), self._budget
        used = [
            f"{name} {spent[name] + spent[f'held_{name}']:,g} of {cap:,}{unit}"
            for name, cap, unit in (
                ("cost", budget.max_cost, f" {self._currency}"),
                ("tokens", budget.max_tokens, ""),
                ("requests", budget.max_requests, ""),
            )
            if cap is not None
        ]
        return BudgetReached(
            f"generate: budget {budget.name!r} leaves no room for the next request ({', '.join(used)}); replies are kept, "
            "raise generate.budget and run again"
        )
