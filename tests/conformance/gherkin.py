"""The little of Gherkin that the kit uses: scenarios, steps, and a text in three quotes below a step.

Rule: a line that is none of what is known here stops the reading; a step that was passed over in silence
would be a scenario that passes for nothing.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

_HEAD = re.compile(r"(?P<word>Feature|Scenario): (?P<title>.+)")
_STEP = re.compile(r"(?:Given|When|Then|And) (?:given )?(?P<sentence>.+)")
# Stands below the title of a feature, before its first scenario.
_STORY = ("As ", "I want ", "So that ")
_FENCE = re.compile(r'"""(?:yaml)?')


@dataclass(frozen=True)
class Step:
    """A sentence, and the text below it, if there is one."""

    sentence: str
    text: str | None = None


@dataclass
class Scenario:
    """A scenario with its steps in order; `feature` is the name of its file without the ending."""

    feature: str
    title: str
    steps: list[Step] = field(default_factory=list)

    @property
    def name(self):
        """A name for tables: the feature and the title."""
        return f"{self.feature}-{self.title.lower().replace(' ', '-')}"

    def text_of(self, sentence):
        """The text below the first step that says so; None when there is no such step."""
        return next((step.text for step in self.steps if step.sentence == sentence), None)


def scenarios_of(feature, text):
    """Return the scenarios of a feature file. Raises `ValueError` for a line that has no meaning here."""
    found: list[Scenario] = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if _FENCE.fullmatch(words):
            last = found[-1].steps[-1]
            found[-1].steps[-1] = Step(last.sentence, _fenced(lines))
        elif head := _HEAD.fullmatch(words):
            if head["word"] == "Scenario":
                found.append(Scenario(feature, head["title"].strip()))
        elif found and (step := _STEP.fullmatch(words)):
            found[-1].steps.append(Step(step["sentence"]))
        elif found or not words.startswith(_STORY):
            raise ValueError(f"{feature}:{number}: `{words}` is not read")
    return found


def _fenced(lines):
    inside = []
    for _, line in lines:
        if _FENCE.fullmatch(line.strip()):
            return textwrap.dedent("\n".join(inside))
        inside.append(line)
    raise ValueError("a text in three quotes has no end")
