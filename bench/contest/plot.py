"""The results as a drawing: bars on a logarithmic scale, readable on light and on dark ground. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from contest.results import Results

WIDTH = 900
LABEL = 150
VALUE = 70
BAR = 15
GAP = 6
HEAD = 46
FOOT = 14
WHOLE_FROM = 100
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.head { font-weight: 600; font-size: 14px; }
.note, .tick { fill: #59636e; font-size: 11px; font-weight: 400; }
.line { stroke: #d1d9e0; stroke-width: 1; }
.ours { fill: #1a7f64; }
.peer { fill: #6e8bb5; }
.loose { fill: #b9c4d6; }
.ground { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note, .tick { fill: #9198a1; }
  .line { stroke: #3d444d; }
  .ours { fill: #3fb68b; }
  .peer { fill: #6f8fc0; }
  .loose { fill: #46536b; }
  .ground { fill: #0d1117; }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of bars: what it shows, of which workload, and whether less is better."""

    title: str
    letter: str
    figure: str
    unit: str
    less: bool = False


PANELS = (
    Panel("A: one run, each step durable before the next", "A", "steps_per_s", "steps/s"),
    Panel("B: many runs of 10 steps, 100 at a time", "B", "steps_per_s", "steps/s"),
    Panel("B: processor time of all processes", "B", "cpu_s_per_1000", "s per 1,000 steps", less=True),
    Panel("C: one run forks and joins", "C", "steps_per_s", "steps/s"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: whose it is, its kind (a class of the style), and its value."""

    name: str
    kind: str
    value: float


def bars_of(results: Results, panel: Panel) -> list[Bar]:
    """Return the bars of a panel, the best first."""
    found = []
    for name, row in results.engines.items():
        value = results.figure(name, panel.letter, panel.figure)
        if value:
            kind = "ours" if row["ours"] else "peer" if row["strict"] else "loose"
            found.append(Bar(name, kind, value))
    return sorted(found, key=lambda bar: bar.value, reverse=not panel.less)


def drawn(results: Results) -> str:
    """Return the whole drawing as SVG."""
    parts, top = [], 12
    for panel in PANELS:
        bars = bars_of(results, panel)
        if bars:
            parts.append(_panel(panel, bars, top))
            top += HEAD + len(bars) * (BAR + GAP) + FOOT
    parts.append(
        f'<text class="note" x="12" y="{top + 6}">Scales are logarithmic. Green: Dirigent. '
        "Blue: peers that flush each step. Pale or dim: peers that do not.</text>"
    )
    height = top + 22
    words = f"Steps per second and processor time of Dirigent and its peers, {results.session['begun']}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(words, quote=True)}">\n<style>\n{STYLE}</style>\n'
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def decades(values: list[float]) -> tuple[int, int]:
    """Return the powers of ten round about all values, so that no bar is empty."""
    low = math.floor(math.log10(min(values)))
    if 10**low == min(values):
        low -= 1
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def _panel(panel: Panel, bars: list[Bar], top: int) -> str:
    low, high = decades([bar.value for bar in bars])
    room = WIDTH - LABEL - VALUE - 24

    def place(value: float) -> float:
        return LABEL + room * (math.log10(value) - low) / (high - low)

    better = "less is better" if panel.less else "more is better"
    parts = [
        (
            f'<text class="head" x="12" y="{top + 14}">{escape(panel.title)} '
            f'<tspan class="note">{escape(panel.unit)}, {better}</tspan></text>'
        ),
    ]
    bottom = top + HEAD + len(bars) * (BAR + GAP) - GAP
    for power in range(low, high + 1):
        x = place(10.0**power)
        parts.append(f'<line class="line" x1="{x:.1f}" y1="{top + HEAD - 8}" x2="{x:.1f}" y2="{bottom}"/>')
        at = f'x="{x:.1f}" y="{top + HEAD - 12}"'
        parts.append(f'<text class="tick" text-anchor="middle" {at}>{10.0**power:,g}</text>')
    for number, bar in enumerate(bars):
        y, end = top + HEAD + number * (BAR + GAP), place(bar.value)
        parts += [
            f'<text text-anchor="end" x="{LABEL - 8}" y="{y + 12}">{escape(bar.name)}</text>',
            f'<rect class="{bar.kind}" x="{LABEL}" y="{y}" width="{end - LABEL:.1f}" height="{BAR}" rx="2"/>',
            f'<text x="{end + 6:.1f}" y="{y + 12}">{figure(bar.value)}</text>',
        ]
    return "\n".join(parts)


def figure(value: float) -> str:
    """Return a value for people, with three digits that count."""
    if value >= WHOLE_FROM:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
