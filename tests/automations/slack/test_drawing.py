"""What a page makes of a message for Slack (UI2)."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from automations.slack.drawing import Drawn, Span, drawn, spans_of
from automations.slack.messages import Message

MESSAGE = Message(
    severity="WARN",
    title="Loss is <high> & rising",
    happened="Run night-7: loss is 3.",
    facts={"Run": "night-7"},
    text="",
    links={"Open run": "http://localhost:8000/vision/mnist/runs/night-7/"},
)


def test_a_message_is_drawn_from_the_blocks_that_would_be_posted() -> None:
    assert drawn(MESSAGE.blocks()) == [
        Drawn(
            spans=(
                Span("⚠️"),
                Span(" "),
                Span("Loss is <high> & rising", "bold"),
                Span("\nRun night-7: loss is 3."),
            )
        ),
        Drawn(fields=((Span("Run", "bold"), Span("\nnight-7")),)),
        Drawn(buttons=(("Open run", "http://localhost:8000/vision/mnist/runs/night-7/"),)),
    ]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("plain", (Span("plain"),)),
        (
            "*a* _b_ ~c~ `d`",
            (
                Span("a", "bold"),
                Span(" "),
                Span("b", "italic"),
                Span(" "),
                Span("c", "strike"),
                Span(" "),
                Span("d", "code"),
            ),
        ),
        ("snake_case_name 2*3*4", (Span("snake_case_name 2*3*4"),)),
        ("* not a mark *", (Span("* not a mark *"),)),
        ("*over\nlines*", (Span("*over\nlines*"),)),
        ("```\nx = *1*\n```", (Span("x = *1*", "code"),)),
        (":nothing: &lt;!channel&gt; &amp;amp;", (Span(":nothing:"), Span(" <!channel> &amp;"))),
        ("", ()),
    ],
)
def test_markup_is_read_as_slack_reads_it(text: str, spans: tuple[Span, ...]) -> None:
    assert spans_of(text) == spans


def test_what_comes_from_outside_is_escaped_on_the_page() -> None:
    template = Template("{% load slack_messages %}{% slack_text spans %}")

    shown = template.render(Context({"spans": spans_of("*&lt;b&gt;* `&lt;i&gt;` &lt;s&gt;")}))

    assert shown == "<b>&lt;b&gt;</b> <code>&lt;i&gt;</code> &lt;s&gt;"
