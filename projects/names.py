"""What a name may look like: names are path segments of pages and of the API, so they are checked at every door."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NAME_LENGTH = 128

# First path segments that pages of the server itself use, or that an SDK expects at the root.
RESERVED_NAMES = frozenset(
    {
        "account",
        "accounts",
        "admin",
        "api",
        "artifacts",
        "artifactsv2",
        "automations",
        "design",
        "executions",
        "favicon.ico",
        "files",
        "graphql",
        "healthz",
        "home",
        "i18n",
        "login",
        "logout",
        "metrics",
        "new",
        "notices",
        "oidc",
        "orgs",
        "projects",
        "ready",
        "readyz",
        "registries",
        "sdk",
        "search",
        "settings",
        "setup",
        "static",
        "storage",
        "teams",
        "users",
    }
)

validate_slug_name = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_.-]*\Z",
    gettext_lazy("Use letters, digits, “-”, “_” and “.”, beginning with a letter or a digit."),
    code="invalid_name",
)

validate_path_name = RegexValidator(
    r"\A(?!\.{1,2}\Z)[^/\\#?%:\x00-\x1f\x7f]+\Z",
    gettext_lazy("A name may not contain / \\ # ? %% : or control characters."),
    code="invalid_name",
)


def validate_not_reserved(value: str) -> None:
    """Refuse names that are pages of the server itself.

    Raises:
        ValidationError: naming the reserved word.
    """
    if value.lower() in RESERVED_NAMES:
        raise ValidationError(
            _("“%(name)s” is the address of a page of this server. Choose another name."),
            code="reserved_name",
            params={"name": value},
        )
