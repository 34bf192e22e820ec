"""Where a request comes from, for throttling sign-ins."""

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The client's address: the peer's, or what the outermost of our own proxies wrote into X-Forwarded-For.

    Whatever stands further left in that header was written by the client and proves nothing.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    hops = settings.TRUSTED_PROXIES
    return forwarded[-hops] if 0 < hops <= len(forwarded) else peer
