"""Names for runs that were given none: two words that are easy to say, and the number of the run in its project."""

from __future__ import annotations

import secrets

MANNERS = """
amber ancient apt autumn balmy bold breezy bright brisk broad calm candid cheerful clear clever copper cosy
crisp curious daring dawning deep dusky eager early earnest easy faint fair famous fearless fine fleet fluent
fond frank fresh gentle gilded glad golden good graceful grand grateful green happy hardy hearty hidden honest
humble idle jolly jovial keen kind lasting light lively lofty loyal lucid lucky mellow merry mild mindful
misty modest morning neat new nimble noble northern novel open patient placid plain pleasant polite proud
quaint quick quiet ready restful rich rosy round rustic sage serene sharp shining silent silver simple sleek
smooth snowy soft solar sound southern spry steady still stout sunny swift tall tender thankful tidy tranquil
true upbeat vivid warm wise witty young
"""
THINGS = """
acorn anchor apple arbor aspen badger bay beacon beech bell birch bramble branch breeze bridge brook canyon
cedar chestnut clover cloud coast comet coral cove crane creek dale dawn delta dune elm ember falcon fern
field finch fir fjord flame forest fox garden glacier glade grove gull harbor hare hazel heath heron hill
hollow island ivy jasper juniper kestrel kite lagoon lake lantern lark laurel leaf lily lynx maple marsh
meadow mesa moon moss mountain oak ocean orchard otter owl peak pebble pine planet plover pond poplar prairie
quail rain raven reed reef ridge river robin sage seal shore sky sparrow spring spruce star stone stream
summit sun swan thicket thistle thrush tide trail tulip valley violet wave willow wind wren yarrow
"""


def invented_name(number: int) -> str:
    """A name such as `quiet-harbor-12`."""
    return f"{secrets.choice(MANNERS.split())}-{secrets.choice(THINGS.split())}-{number}"
