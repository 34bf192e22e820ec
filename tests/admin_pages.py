"""Ways into the admin that its tests share."""

from typing import Any

from django.db import models
from django.urls import reverse


def page(model: type[models.Model], name: str, *args: Any) -> str:
    """The address of a model's page: `changelist`, `add`, `change`, `delete`, `history`."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def shown(answer: Any) -> str:
    """The text of a page that is there."""
    assert answer.status_code == 200
    return str(answer.content.decode())


def empty_inline(prefix: str) -> dict[str, str]:
    """What a form posts for a table of rows with none in it."""
    return {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
