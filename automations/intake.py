from typing import Any


def hear(sender: Any, fact: Any, **kwargs: Any) -> None:
    pass
