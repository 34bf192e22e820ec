"""The palette is legible: contrast by the WCAG 2.2 formula, computed from the tokens themselves, in both themes."""

import re
from itertools import product
from pathlib import Path

import pytest

TOKENS = Path(__file__).parent.parent / "static" / "css" / "tokens.css"
PAIR = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\);")
COLOURS: dict[str, tuple[str, str]] = {
    name: (light, dark) for name, light, dark in PAIR.findall(TOKENS.read_text(encoding="utf-8"))
}
THEMES = {"light": 0, "dark": 1}
STATUSES = ["pending", "running", "finished", "failed", "crashed", "skipped", "shadow"]
GROUNDS = ["ground-page", "ground-panel", "ground-raised", "ground-hover", "ground-selected", "ground-code"]
QUIET_GROUNDS = ["ground-page", "ground-panel", "ground-raised", "ground-hover"]

TEXT_PAIRS = [
    *product(["ink-text", "ink-secondary", "accent", "accent-strong", "danger"], GROUNDS),
    *product(STATUSES, GROUNDS),
    *((status, f"{status}-ground") for status in STATUSES),
    *(("ink-text", f"{status}-ground") for status in STATUSES),
    *(("ink-secondary", f"{status}-ground") for status in STATUSES),
    ("ink-on-accent", "accent-fill"),
    ("ink-on-accent", "accent-fill-hover"),
    ("ink-on-danger", "danger-fill"),
    ("ink-on-danger", "danger-fill-hover"),
]
CONTROL_PAIRS = [
    *product(["line-control", "focus", "accent-fill", "danger-fill"], QUIET_GROUNDS),
    *product([f"series-{number}" for number in range(1, 11)], ["ground-page", "ground-raised"]),
]


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0 for black to 1 for white (WCAG 2.2, "relative luminance")."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def pairs_below(required: float, pairs: list[tuple[str, str]], theme: str) -> list[str]:
    """The pairs of tokens that miss the required ratio, each with the ratio it has."""
    side = THEMES[theme]
    ratios = {(ink, ground): contrast(COLOURS[ink][side], COLOURS[ground][side]) for ink, ground in pairs}
    return [f"{ink} on {ground}: {ratio:.2f}" for (ink, ground), ratio in ratios.items() if ratio < required]


def test_contrast_formula_agrees_with_known_values() -> None:
    """UI6. Black on white is 21; #767676 is the lightest grey that still passes 4.5 on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") >= 4.5 > contrast("#777777", "#ffffff")


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_contrast_of_at_least_4_5(theme: str) -> None:
    """UI6."""
    assert pairs_below(4.5, TEXT_PAIRS, theme) == []


@pytest.mark.parametrize("theme", THEMES)
def test_controls_focus_and_plots_have_contrast_of_at_least_3(theme: str) -> None:
    """UI6."""
    assert pairs_below(3, CONTROL_PAIRS, theme) == []


def test_every_colour_of_the_tokens_is_a_pair_for_both_themes() -> None:
    css = TOKENS.read_text(encoding="utf-8")
    assert len(COLOURS) == len(re.findall(r"--[\w-]+:\s*light-dark\(#", css))
    assert not re.findall(r"--[\w-]+:\s*#", css)


def test_only_the_tokens_name_a_colour() -> None:
    """A colour outside the tokens would miss the dark theme and this test file."""
    colour = re.compile(r"(?<![\w&-])#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch)\(", re.IGNORECASE)
    others = [path for path in TOKENS.parent.glob("*.css") if path != TOKENS]
    assert {path.name: colour.findall(path.read_text(encoding="utf-8")) for path in others} == {
        path.name: [] for path in others
    }
