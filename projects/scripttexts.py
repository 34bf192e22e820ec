"""What scripts show to people. Templates hand these over (`{% script_texts %}`), and `static/js/texts.js` says them.

A name in braces stands for a value. Plurals are two texts, because scripts know nothing of a language's rules: the one
for a single thing ends in `_one`.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

TEXTS = {
    "page": {
        "unreachable": _("The server did not answer. Check the connection and try again."),
        "refused": _("You may not do this, or the page is too old. Reload it and try again."),
        "signed_out": _("You are signed out. Sign in in another tab, then try again here: what you typed stays."),
        "sign_in": _("Sign in"),
        "gone": _("It is not there any more. Reload the page."),
        "failed": _("The server answered with an error ({status}). Nothing was changed."),
        "dismiss": _("Dismiss"),
        "copied": _("Copied"),
        "not_copied": _("Select and copy it by hand"),
        "not_json": _("This is not JSON: {problem}"),
        "replaying": _("Replaying history"),
        "replay_failed": _("The replay did not come to an end. Try again with fewer days."),
    },
    "plots": {
        "watched": _("Watched by"),
        "odd": _("NaN or infinite"),
        "gaps": _("{count} values are NaN or infinite: gaps in the lines."),
        "gaps_one": _("{count} value is NaN or infinite: gaps in the lines."),
        "beyond": _("Values go as far as {value}: beyond the edge of the plot, which shows where most of them are."),
        "no_points": _("The runs shown logged no points of it. What stands in a summary alone has no line."),
        "run": _("Run"),
        "last_value": _("Last value"),
        "values": _("Values"),
        "last_values": _("Last values of {metric}"),
        "fired": _("{run}, step {step}: {name} fired, {text}"),
        "step": _("Step {step}"),
        "read": _("{run}: {value} at {place}"),
        "lines": _("{metric}, lines of {count} runs"),
        "lines_one": _("{metric}, lines of {count} run"),
        "reading": _("Reading what {count} runs logged…"),
        "reading_one": _("Reading what a run logged…"),
        "unread": _("The plots could not be read. They are asked for again in a while."),
        "unit_d": _("d"),
        "unit_h": _("h"),
        "unit_min": _("min"),
        "unit_s": _("s"),
    },
}
