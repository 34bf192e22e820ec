"""Somebody who has no mouse."""

from __future__ import annotations

from playwright.sync_api import Locator

LONGEST_WAY = 60


def tab_to(target: Locator, *, key: str = "Tab") -> None:
    """Press Tab until the target has the focus; fails when it is out of reach."""
    target.wait_for()
    # A page is there before its scripts are, which listen to keys.
    target.page.wait_for_load_state()
    for _ in range(LONGEST_WAY):
        if target.evaluate("element => element === document.activeElement"):
            return
        target.page.keyboard.press(key)
    raise AssertionError(f"{target} cannot be reached with {key}")


def press(target: Locator, key: str = "Enter") -> None:
    """Go to the target and press a key there."""
    tab_to(target)
    target.page.keyboard.press(key)


def write(target: Locator, text: str) -> None:
    """Go to a field and write into it, in place of what it says."""
    press(target, "ControlOrMeta+a")
    target.page.keyboard.type(text)
