"""The sentences that records are made of, as messages: by these `automations.retelling` recognises what was written.

What writes a record says it in English, where it happens; a test compares this list with what is said there.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

# Values that are sentences, or words of this list, themselves.
NESTED: Final = frozenset({"sentence", "reason", "error", "kind"})

OF_EXECUTIONS: Final = (
    gettext_noop("%(sentence)s That was attempt %(number)s, the last one."),
    gettext_noop("Cancelled by %(user)s."),
    gettext_noop("Delivered in a digest of %(count)s."),
    gettext_noop("Held: the channel has had its messages for this hour. It comes in a digest."),
    gettext_noop("Held: the channel has quiet hours. It comes in a digest when they are over."),
    gettext_noop("Held: the webhook's breaker is open. It goes out when a probe succeeds."),
    gettext_noop(
        "It had fired %(times)s times within a minute, as often as an automation of an organization, a team or"
        " a registry"
        " may. It fires again from %(ends)s on; an operator can allow more with %(setting)s."
    ),
    gettext_noop(
        "It had fired %(times)s times within an hour, as often as an automation of an organization, a team or"
        " a registry"
        " may. It fires again from %(ends)s on; an operator can allow more with %(setting)s."
    ),
    gettext_noop(
        "Not carried out, to end a loop: in the chain of executions that led to this event, this automation has already"
        " run for the same %(what)s."
    ),
    gettext_noop(
        "Not carried out, to end a loop: the chain of executions that led to this event is %(length)s long, and no more"
        " may follow one from another."
    ),
    gettext_noop("Recorded. This automation does nothing else."),
    gettext_noop("Shadow mode: it would have done nothing but record this."),
    gettext_noop("Shadow mode: this would have been sent."),
    gettext_noop("The automation was snoozed until %(until)s. It fires for the next match after that."),
    gettext_noop("The server itself failed to carry this out; its log has the details."),
    gettext_noop("Webhook %(name)s is paused: %(reason)s"),
)
OF_NOTICES: Final = (
    gettext_noop("%(user)s changed it."),
    gettext_noop("%(user)s closed the breaker."),
    gettext_noop("%(user)s resumed it."),
    gettext_noop("A probe succeeded."),
    gettext_noop("A probe succeeded. %(count)s held execution goes out."),
    gettext_noop("A probe succeeded. %(count)s held executions go out."),
    gettext_noop("It works again."),
    gettext_noop(
        "Its breaker is open since %(time)s: %(count)s tries in a row failed, and none succeeded for"
        " %(silent)s minutes."
        " What goes there is held, and probed every %(pause)s minutes. The last error: %(error)s"
    ),
)
OF_REQUESTS: Final = (
    gettext_noop("%(host)s closed the connection without an answer."),
    gettext_noop("%(host)s could not be reached: %(problem)s."),
    gettext_noop("%(host)s did not accept a connection within %(seconds)s s."),
    gettext_noop("%(host)s did not answer in time."),
    gettext_noop("%(host)s refused the connection: nothing listens at that port."),
    gettext_noop("%(host)s sent an answer that is not valid HTTP (%(problem)s)."),
    gettext_noop("A header's name holds a space, a colon or another character that names must not have."),
    gettext_noop(
        "A secret of the integration cannot be opened with the keys in FERNET_KEYS. Rotate it to enter its value anew,"
        " or have an operator bring the key back."
    ),
    gettext_noop("Header %(name)s is set by the server itself."),
    gettext_noop("No complete answer within %(seconds)s s."),
    gettext_noop("The TLS connection to %(host)s failed: %(problem)s."),
    gettext_noop("The connection to %(address)s ended up at %(peer)s; nothing was sent."),
    gettext_noop("The endpoint URL has to begin with http:// or https://."),
    gettext_noop("The endpoint URL holds credentials; use the access token or a header with a secret instead."),
    gettext_noop("The endpoint URL holds spaces or control characters."),
    gettext_noop("The endpoint URL is not valid: %(problem)s."),
    gettext_noop("The endpoint URL names no host."),
    gettext_noop("The message could not be rendered: %(error)s"),
    gettext_noop("The name %(host)s could not be resolved in %(seconds)s s."),
    gettext_noop("The name %(host)s could not be resolved. Check the spelling of the endpoint."),
    gettext_noop("The payload could not be rendered: %(error)s"),
    gettext_noop("The receiver answered %(answer)s."),
    gettext_noop("The receiver answered %(answer)s. Check the access token and the signing secret of the webhook."),
    gettext_noop(
        "The receiver answered %(answer)s. Check the access token and the signing secret of the webhook, and what they"
        " may do there."
    ),
    gettext_noop("The receiver answered %(answer)s. Check the endpoint URL of the webhook."),
    gettext_noop(
        "The receiver answered %(answer)s. Nothing takes a POST there: check the endpoint URL of the webhook."
    ),
    gettext_noop(
        "The receiver answered %(code)s, a redirect. Redirects are not followed; enter the final address in"
        " the webhook."
    ),
    gettext_noop("The receiver answered 410 Gone: it wants no more calls. The webhook is paused."),
    gettext_noop("The receiver's answer has no end, or headers without measure; it was not read on."),
    gettext_noop("The value of header %(name)s holds a line break or another control character."),
    gettext_noop("The values make the payload longer than %(most)s characters; use fewer or shorter variables."),
    gettext_noop("The webhook was deleted before this could be sent."),
)
OF_ADDRESSES: Final = (
    gettext_noop(
        "%(host)s resolves to %(address)s, %(kind)s. Addresses like this are refused; an operator can allow networks or"
        " hosts with WEBHOOK_ALLOWED_NETWORKS."
    ),
    gettext_noop(
        "The endpoint is %(address)s, %(kind)s. Addresses like this are refused; an operator can allow networks or"
        " hosts with WEBHOOK_ALLOWED_NETWORKS."
    ),
    gettext_noop("%(kind)s that carries %(address)s"),
    gettext_noop("a 6to4 address"),
    gettext_noop("a NAT64 address"),
    gettext_noop("a Teredo address"),
    gettext_noop("a broadcast address"),
    gettext_noop("a cloud platform's internal address"),
    gettext_noop("a link-local address"),
    gettext_noop("a loopback address"),
    gettext_noop("a multicast address"),
    gettext_noop("a private address"),
    gettext_noop("a reserved address"),
    gettext_noop("a shared (CGNAT) address"),
    gettext_noop("a site-local address"),
    gettext_noop("a unique-local address"),
    gettext_noop("an IPv4-compatible address"),
    gettext_noop("an IPv4-mapped address"),
    gettext_noop("an IPv4-translated address"),
    gettext_noop("an unspecified address"),
)
OF_SLACK: Final = (
    gettext_noop("A preference of the workspace keeps the bot from posting to this channel."),
    gettext_noop("An admin of the workspace forbids this incoming webhook."),
    gettext_noop("Slack answered %(answer)s."),
    gettext_noop("Slack does not know the bot token. Paste a new one."),
    gettext_noop("Slack does not know the incoming webhook. Make a new one and paste its address."),
    gettext_noop("Slack got no bot token. Paste a new one."),
    gettext_noop("Slack refused the message: %(problem)s."),
    gettext_noop("Slack takes no more messages for the moment."),
    gettext_noop("Slack took the message for %(channel)s."),
    gettext_noop("Slack's answer cannot be read."),
    gettext_noop("The Slack channel was deleted before this could be sent."),
    gettext_noop("The bot is not in the channel. Invite it there."),
    gettext_noop("The bot token has expired. Paste a new one."),
    gettext_noop(
        "The bot token lacks the scope chat:write. Add it to the Slack app, install it again and paste the token."
    ),
    gettext_noop("The bot token was revoked. Install the app again and paste its token."),
    gettext_noop("The bot's account was deactivated in Slack. Install the app again and paste its token."),
    gettext_noop("The channel is archived. Choose another one."),
    gettext_noop("The incoming webhook was removed or disabled. Make a new one and paste its address."),
    gettext_noop("The workspace does not let the bot post."),
    gettext_noop("The workspace of the incoming webhook is gone."),
    gettext_noop("The workspace was disabled."),
    gettext_noop(
        "There is no such channel in the workspace, or the bot cannot see it. Check the channel id, and invite the bot"
        " to private channels."
    ),
)
RECORDED: Final = (*OF_EXECUTIONS, *OF_NOTICES, *OF_REQUESTS, *OF_ADDRESSES, *OF_SLACK)
