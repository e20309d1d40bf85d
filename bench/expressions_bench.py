"""Microseconds for one evaluation, in this process and in the worker."""

import asyncio
import json
import time

from dirigent.jq import LANGUAGE
from dirigent.model.run.command import Question
from dirigent.model.values import Expression
from dirigent.tasks.oracle import JqOracle

ORDER = {
    "order": {
        "id": 4711,
        "customer": {"name": "Ada", "address": {"city": "London", "street": "St James's Square 12"}},
        "items": [{"sku": f"SKU-{n:04}", "qty": n % 5, "price": 2.5 * n} for n in range(10)],
    }
}
VARIABLES = {"input": {"region": "eu"}, "context": {"attempt": 2}, "now": 1_700_000_000}
EXPRESSIONS = {
    "path": ".order.customer.name",
    "variable": "$input.region",
    "comparison": '.order.id > 4000 and $input.region == "eu"',
    "object + text": '.order | {id, to: "\\(.customer.name), \\(.customer.address.city)", n: $input.n}',
    "filter": ".order.items | map(select(.qty > 2)) | length",
    "sum": "[.order.items[] | .qty * .price] | add",
}


def local_microseconds(text: str, turns: int = 20_000) -> float:
    """Return the best of five rounds."""
    evaluate = LANGUAGE.compile(text).evaluate
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(turns // 5):
            evaluate(ORDER, VARIABLES)
        best = min(best, (time.perf_counter() - start) / (turns // 5))
    return best * 1e6


async def worker_microseconds(oracle: JqOracle, text: str, turns: int = 400) -> float:
    """Return the median round trip."""
    question = Question(Expression(text), ORDER, VARIABLES)
    await oracle.answer([question])
    taken = []
    for _ in range(turns):
        start = time.perf_counter()
        await oracle.answer([question])
        taken.append(time.perf_counter() - start)
    return sorted(taken)[turns // 2] * 1e6


def compile_microseconds(text: str, turns: int = 300) -> float:
    """Return the mean of compiling distinct texts."""
    start = time.perf_counter()
    for number in range(turns):
        LANGUAGE.compile(f"{text} {' ' * number}#")
    return (time.perf_counter() - start) / turns * 1e6


async def main() -> None:
    """Print one line for each expression."""
    print(f"dot: {len(json.dumps(ORDER))} bytes of JSON")
    print(f"{'expression':15}{'here us':>10}{'worker us':>12}{'ratio':>8}{'compile us':>12}")
    oracle = JqOracle()
    for name, text in EXPRESSIONS.items():
        here, there = local_microseconds(text), await worker_microseconds(oracle, text)
        print(f"{name:15}{here:10.2f}{there:12.1f}{there / here:8.0f}{compile_microseconds(text):12.1f}")
    start = time.perf_counter()
    await oracle.close()
    await oracle.answer([Question(Expression("path(..)"), 1, {})])
    print(f"worker, close and start: {(time.perf_counter() - start) * 1e3:.0f} ms")
    await oracle.close()


if __name__ == "__main__":
    asyncio.run(main())
