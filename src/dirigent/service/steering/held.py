"""What of a run is held, and the answer that names the object which a creation in doubt has made."""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Abandoned, Held, Intended, Overruled, Repeated, Skipped, Vouched
from dirigent.ports import Journal


@dataclass(frozen=True, slots=True)
class Question:
    """One held effect; `address` is that of the instance which it was to make, empty for any other."""

    fact: Held
    address: str = ""


async def held_of(journal: Journal, run: RunId) -> list[Question]:
    """Return what of a run waits for a person. Raises `Refusal` (E4012) when nothing does."""
    held: dict[tuple[str, int], Held] = {}
    made: dict[tuple[str, int], str] = {}
    for fact in await journal.read(run):
        match fact:
            case Intended(
                position=position,
                attempt=attempt,
                request={
                    "action": "create" | "recreate",
                    "address": str(address),
                    "type": str(),
                },
            ):
                made[position, attempt] = address
            case Held(position=position, attempt=attempt):
                held[position, attempt] = fact
            case Vouched() | Repeated() | Skipped() | Abandoned() | Overruled():
                held.pop((fact.position, fact.attempt), None)
            case _:
                pass
    if not held:
        raise refuse("E4012", f"nothing of run `{run}` is held", "look at it with `dirigent show RUN`")
    return [Question(fact, made.get(key, "")) for key, fact in held.items()]


def refuse_unknown(held: Sequence[Question], run: RunId) -> None:
    """Raise `Refusal` (E2037) where somebody says of a creation that it is done, but not of what."""
    made = next((each.address for each in held if each.address), "")
    if made:
        raise refuse(
            "E2037",
            f"it would not be known what `{made}` is: `--done` says that it is there, but not where",
            f"name it: `dirigent resume {run} --as ID`, with the id by which its provider imports it",
            f"or pass over it with `--skip`, and take it over later with `dirigent import {made} ID`",
        )


def named(held: Sequence[Question], run: RunId, words: Sequence[str], at: float) -> list[Repeated]:
    """Return the answers of somebody who says under which id there is what a creation has made.

    Each word is `ADDRESS=ID`, or an id alone where one creation is held.

    Raises:
        Refusal: E2036 for what is no creation that is held.
    """
    made = {each.address: each.fact for each in held if each.address}
    answers: dict[str, Repeated] = {}
    for word in words:
        address = next((each for each in made if word.startswith(f"{each}=")), "")
        known = word.removeprefix(f"{address}=") if address else word
        if not address and len(made) == 1 and len(words) == 1:
            address = next(iter(made))
        if not address or not known or address in answers:
            there = ", ".join(f"`{each}`" for each in made) or "none"
            raise refuse(
                "E2036",
                f"`--as {word}` names no creation of run `{run}` that is in doubt",
                f"there are: {there}; write `--as ADDRESS=ID`, once for each",
            )
        fact = made[address]
        answers[address] = Repeated(at, fact.position, fact.attempt, known)
    return list(answers.values())
