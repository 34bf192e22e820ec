"""Icons, statuses, times and form rows: what they say, and that nothing typed by people becomes markup."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django import forms
from django.template import Context, Template
from django.utils import translation

from projects.templatetags import interface

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
SPRITE = Path(__file__).parents[3] / "static" / "img" / "icons.svg"
TEMPLATES = Path(__file__).parents[3] / "templates"
SCRIPT = "<script>alert(1)</script>"


class Signup(forms.Form):
    name = forms.CharField(help_text="Letters only.")
    nickname = forms.CharField(required=False)
    agree = forms.BooleanField(required=False)
    role = forms.ChoiceField(choices=[("a", "Admin")], widget=forms.RadioSelect, help_text="One of them.")
    token = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_name(self) -> str:
        raise forms.ValidationError(f"“{self.cleaned_data['name']}” is taken.")


def row(name: str, data: dict[str, str] | None = None) -> str:
    """The row of one field of `Signup`, rendered."""
    template = Template("{% load interface %}{% field form_field %}")
    return str(template.render(Context({"form_field": Signup(data)[name]})))


def icons_in_sprite() -> set[str]:
    return set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("value", interface.STATUSES)
def test_every_status_has_an_icon_of_its_own_and_a_word(value: str) -> None:
    """UI6: never colour alone."""
    badge = interface.status_badge(value.upper())
    assert f"#status-{value}" in badge
    assert f"<span>{value.capitalize()}</span>" in badge
    assert f"status-{value}" in icons_in_sprite()


def test_unknown_status_is_shown_as_it_is_and_escaped() -> None:
    badge = interface.status_badge(SCRIPT)
    assert "<script>" not in badge
    assert "#info" in badge


def test_status_can_be_said_in_other_words() -> None:
    assert "<span>Would have fired</span>" in interface.status_badge("shadow", label="Would have fired")


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    named = set()
    for template in TEMPLATES.rglob("*.html"):
        named |= set(re.findall(r'(?:\{% icon |with icon=)"([\w-]+)"', template.read_text(encoding="utf-8")))
    assert named - icons_in_sprite() == set()


def test_icon_is_silent_unless_it_stands_alone() -> None:
    assert 'aria-hidden="true"' in interface.icon("bell")
    assert 'role="img" aria-label="Watch &quot;loss&quot;"' in interface.icon("bell", label='Watch "loss"')


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=0), "just now"),
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(minutes=2, seconds=59), "2 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=6, hours=23), "6 d ago"),
        (timedelta(days=7), "2 Mar 2026"),
        (timedelta(seconds=-0.4), "now"),
        (timedelta(seconds=-30), "in 30 s"),
        (timedelta(hours=-4, seconds=-1), "in 4 h"),
        (timedelta(days=-8), "17 Mar 2026"),
    ],
)
def test_time_is_relative_for_seven_days_and_then_a_date(passed: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert f">{words}</time>" in interface.ago(NOW - passed)


def test_time_carries_the_exact_moment_with_its_zone() -> None:
    with time_machine.travel(NOW, tick=False):
        element = interface.ago(NOW)
    assert 'datetime="2026-03-09T12:00:00+00:00"' in element
    assert 'title="2026-03-09 12:00:00 UTC"' in element


def test_no_time_is_said_in_a_word() -> None:
    assert interface.ago(None, none="never") == '<span class="none">never</span>'


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.0004, "1 ms"),
        (0.9999, "1.0 s"),
        (1.23, "1.2 s"),
        (9.97, "10 s"),
        (59.7, "1 min"),
        (179.9, "3 min"),
        (3599, "1 h"),
        (7500, "2 h 5 min"),
        (timedelta(days=4, hours=2), "4 d 2 h"),
        (86_400, "1 d"),
    ],
)
def test_duration_is_short_and_never_sixty_of_anything(seconds: float | timedelta | None, words: str) -> None:
    assert interface.duration(seconds) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=0), "たった今"),
        (timedelta(minutes=2), "2分前"),
        (timedelta(days=6), "6日前"),
        (timedelta(hours=-4, seconds=-1), "4時間後"),
        (timedelta(days=7), "2026年3月2日"),
    ],
)
def test_ui6_time_is_written_as_in_japanese(passed: timedelta, words: str) -> None:
    with time_machine.travel(NOW, tick=False), translation.override("ja"):
        assert f">{words}</time>" in interface.ago(NOW - passed)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.012, "12 ms"), (1.23, "1.2秒"), (180, "3分"), (7500, "2時間5分"), (352_800, "4日2時間")]
)
def test_ui6_durations_are_written_as_in_japanese(seconds: float, words: str) -> None:
    with translation.override("ja"):
        assert interface.duration(seconds) == words


def test_count_has_separators() -> None:
    assert interface.count(1234567) == "1,234,567"
    assert interface.count(None) == "–"


def test_row_ties_help_and_error_to_the_control() -> None:
    """UI6."""
    html = row("name", {"name": SCRIPT})
    described_by = re.search(r'<input[^>]*aria-describedby="([^"]+)"', html)
    assert described_by is not None
    assert described_by[1].split() == ["id_name_helptext", "id_name_error"]
    assert all(f'id="{element}"' in html for element in described_by[1].split())
    assert 'for="id_name"' in html
    assert 'aria-invalid="true"' in html
    assert "<script>" not in html


def test_row_without_help_or_error_points_nowhere() -> None:
    assert "aria-describedby" not in row("nickname")
    assert "optional" in row("nickname")
    assert "optional" not in row("name")


def test_choices_are_a_fieldset_with_a_legend_and_help() -> None:
    html = row("role")
    assert '<fieldset class="field"' in html
    assert "<legend>Role</legend>" in html
    assert 'aria-describedby="id_role_helptext"' in html


def test_box_stands_before_its_label_and_hidden_fields_have_no_row() -> None:
    assert re.search(r'<label><input type="checkbox"[^>]*><span>Agree</span></label>', row("agree"))
    assert "<div" not in row("token")
