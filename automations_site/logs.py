"""Logging: one JSON object per line in production, readable lines while developing.

Code logs with `structlog.get_logger(__name__).info("execution_finished", execution_id=…)`: an event name and
ids. Request bodies, headers, payloads and secrets have no place in a log line.
"""

import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

_shared: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(*, level: str, readable: bool) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING, so that lines of libraries look like our own."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[structlog.types.Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if readable
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*_shared, structlog.stdlib.ExtraAdder(allow=())],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers mail admins and print on their own; everything goes one way here.
            "django": {"handlers": [], "level": level, "propagate": True},
            # 4xx answers are the client's business; the access log of a proxy tells more.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            # At DEBUG it writes down whatever a page was given to show.
            "django.template": {"handlers": [], "level": "INFO", "propagate": True},
            # At DEBUG it writes down the path of each request, and that of an incoming webhook is its credential.
            "urllib3": {"handlers": [], "level": "INFO", "propagate": True},
            # One line per task at INFO would double the cost of a delivery.
            "django-q": {"handlers": [], "level": "WARNING", "propagate": True},
            "axes": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }


def name_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: log lines of a request carry `request_id`, and the answer tells it in `X-Request-ID`."""

    def answer(request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = get_response(request)
        response["X-Request-ID"] = request_id
        return response

    return answer
