"""The look of the cockpit in one place: colours, type and spacing, as CSS variables and as a Plotly template."""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import quote

import plotly.graph_objects as go

from backend.plugin_api.panels import Tone

# The page is laid out for this height and scaled to the screen as a whole, so that it is at least as wide as the
# narrowest; a wall of LEDs has room for more columns.
STAGE = {"stage-high": 1080, "stage-narrowest": 1640, "wall-narrowest": 2700}

COLOURS = {
    "ground": "#050e24",
    "ground-deep": "#020817",
    "panel": "rgba(7, 22, 52, 0.93)",
    "panel-head": "rgba(38, 124, 235, 0.34)",
    "line": "rgba(86, 160, 255, 0.26)",
    "line-soft": "rgba(110, 170, 255, 0.13)",
    "accent": "#4cc9ff",
    "accent-deep": "#1f7bff",
    "ink": "#eaf4ff",
    "ink-soft": "#a9c4ea",
    "ink-faint": "#7f9cc8",
    "gold": "#ffd36a",
}

# Waste streams as in the provincial standard, alert levels as in the Okabe-Ito family; both picked for colour-blind
# viewers. The two sets come close to each other, so an alert level always has its own shape and sign as well.
TONES: dict[Tone, str] = {
    "plain": "#4cc9ff",
    "good": "#35dfa4",
    "recyclable": "#3d9bff",
    "hazardous": "#ff5447",
    "food": "#2ee6a0",
    "residual": "#8a94a6",
    "hint": "#56b4e9",
    "minor": "#fff07a",
    "major": "#f58a07",
    "critical": "#d81b60",
    "off": "#5f6f8c",
}

#: How an alert level is told without colour: outline in a box of 24, sign inside it, height of the sign, and word.
ALERTS: dict[Tone, tuple[str, str, float, str]] = {
    "hint": ("M12 1a11 11 0 1 0 .01 0z", "i", 17.0, "提示"),
    "minor": ("M12 0L24 12L12 24L0 12z", "!", 17.0, "一般"),
    "major": ("M12 1L24 23L0 23z", "!", 20.5, "较重"),
    "critical": ("M7 0h10l7 7v10l-7 7h-10l-7-7v-10z", "!!", 17.5, "严重"),
}

#: For series and layers that have no tone of their own; neighbours differ in lightness too.
SEQUENCE = ("#4cc9ff", "#ffc857", "#8b93ff", "#35dfa4", "#ff9b71", "#d08bff", "#9fd8ff", "#e6e27a")

FONT = '"Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif'

# The rule for reading from 5 m: no text is smaller than 16 pixels of a stage 1080 high. On a screen 2 m high that is a
# character of 30 mm, 20 minutes of arc.
TYPE = {"small": 16, "body": 17, "title": 20, "figure": 40, "heading": 40}
SPACING = {"gap": 14, "edge": 20, "header": 84, "tabs": 58}


def colour(tone: Tone, position: int = 0) -> str:
    """Return the colour of a tone; plain things at `position` 0, 1, 2 … get a sequence of colours instead."""
    return SEQUENCE[position % len(SEQUENCE)] if tone == "plain" else TONES[tone]


def alert_mark(tone: Tone) -> str:
    """Return the mark of an alert level as a picture in a data address."""
    outline, sign, baseline, _ = ALERTS[tone]
    ink = "#fff" if tone == "critical" else "#071530"
    picture = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>"
        f"<path d='{outline}' fill='{TONES[tone]}'/>"
        f"<text x='12' y='{baseline}' text-anchor='middle' font-family='sans-serif' font-weight='900' "
        f"font-size='15' fill='{ink}'>{sign}</text></svg>"
    )
    return "data:image/svg+xml," + quote(picture, safe="/:=' ")


def css_variables() -> str:
    """Return the theme as a CSS rule, so that style sheets and scripts name colours instead of repeating them."""
    variables = {
        **COLOURS,
        **{f"tone-{tone}": TONES[tone] for tone in get_args(Tone)},
        **{f"mark-{tone}": f'url("{alert_mark(tone)}")' for tone in ALERTS},
        **{f"type-{name}": f"{size}px" for name, size in TYPE.items()},
        **{name: f"{size}px" for name, size in SPACING.items()},
        **{name: str(size) for name, size in STAGE.items()},
        "font": FONT,
    }
    root = ":root{" + "".join(f"--{name}:{value};" for name, value in variables.items()) + "}"
    return root + "".join(f".tone-{tone}{{--tone:var(--tone-{tone})}}" for tone in get_args(Tone))


def plotly_template() -> dict[str, Any]:
    """Return the Plotly template that every figure shares."""
    axis = {
        "automargin": True,
        "gridcolor": COLOURS["line-soft"],
        "linecolor": COLOURS["line"],
        "zerolinecolor": COLOURS["line"],
        "tickfont": {"color": COLOURS["ink-soft"], "size": TYPE["small"]},
        "title": {"font": {"color": COLOURS["ink-faint"], "size": TYPE["small"]}, "standoff": 6},
        "fixedrange": True,
    }
    layout = go.Layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": COLOURS["ink-soft"], "size": TYPE["small"]},
        colorway=SEQUENCE,
        margin={"l": 8, "r": 12, "t": 10, "b": 8},
        xaxis=axis,
        yaxis=axis,
        polar={
            "bgcolor": "rgba(0,0,0,0)",
            "angularaxis": {"gridcolor": COLOURS["line"], "linecolor": COLOURS["line"]},
            "radialaxis": {
                "gridcolor": COLOURS["line-soft"],
                "showline": False,
                "angle": 90,
                "tickangle": 90,
                "nticks": 4,
                "tickfont": {"size": TYPE["small"], "color": COLOURS["ink-faint"]},
            },
        },
        coloraxis={"colorscale": [[0, "#0b2a5c"], [0.5, "#1f7bff"], [1, "#8fe3ff"]], "showscale": False},
        showlegend=False,
        hoverlabel={
            "bgcolor": "#0a2350",
            "bordercolor": COLOURS["accent"],
            "font": {"family": FONT, "color": COLOURS["ink"], "size": TYPE["small"]},
        },
        bargap=0.45,
        hovermode="closest",
    )
    return {"layout": layout.to_plotly_json()}
