"""What happens to a side's webhooks: events one at a time, in a burst, with a receiver that is down, a server that is
killed, a neighbour that fails. Every function returns the figures of one round."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from benchmarks.served import percentile
from benchmarks.sides import Event, Side
from benchmarks.sinks import NEVER, Sink, listening
from tests.journeys.server import free_port

CLIENTS = 4
LATEST = 60.0  # seconds after which an event counts as not delivered, where one is waited for
WARM_UP = 20


def one_at_a_time(side: Side, *, events: int) -> dict[str, Any]:
    """Milliseconds from before the request that is the event to the arrival of its webhook."""
    with listening(side.event_in) as sink:
        prepared = side.prepare([sink.url], events=events + WARM_UP)
        latencies(side, sink, prepared[:WARM_UP])
        took = latencies(side, sink, prepared[WARM_UP:])
    return {
        "webhooks": len(took),
        "p50_ms": round(percentile(took, 0.5), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
        "most_ms": round(max(took), 1),
    }


def latencies(side: Side, sink: Sink, events: Sequence[Event], *, for_at_most: float = NEVER) -> list[float]:
    """Milliseconds from each event to its webhook, the next event after it. One that did not come in time counts as
    long as it was waited for, one that the server did not even take as `LATEST`; after `for_at_most` seconds no more
    events are made."""
    took = []
    ends = time.perf_counter() + for_at_most
    with side.script() as script:
        for event in events:
            began = time.perf_counter()
            if script.make_happen(event):
                arrived = sink.wait_for_event(event.name, timeout=LATEST)
                took.append(((arrived or time.perf_counter()) - began) * 1000)
            else:
                took.append(LATEST * 1000)
            if time.perf_counter() > ends:
                break
    return took


def burst(side: Side, *, events: int, delay: float) -> dict[str, Any]:
    """Seconds to accept so many events at once, and from then to the arrival of the last webhook."""
    with listening(side.event_in, delay=delay) as sink:
        prepared = side.prepare([sink.url], events=events)
        began = time.perf_counter()
        accepted = make_happen(side, prepared)
        taken = time.perf_counter()
        missing = sink.wait_for(accepted, timeout=300, quiet=60)
        last = max((arrival.at for arrival in sink.arrivals), default=taken)
    return {
        "events": len(accepted),
        "lost": len(missing),
        "accepted_s": round(taken - began, 2),
        "delivered_after_s": round(max(last - taken, 0.0), 2),
    }


def make_happen(side: Side, events: Sequence[Event]) -> set[str]:
    """Several scripts at once make these events happen; the names of those the server took."""

    def happen(own: Sequence[Event]) -> list[str]:
        with side.script() as script:
            return [event.name for event in own if script.make_happen(event)]

    with ThreadPoolExecutor(CLIENTS) as threads:
        taken = list(threads.map(happen, [events[number::CLIENTS] for number in range(CLIENTS)]))
    return {name for names in taken for name in names}


def receiver_down(side: Side, *, events: int, down: float, patience: float, quiet: float) -> dict[str, Any]:
    """Events while nothing listens at the webhook's address, for `down` seconds; then the receiver is back. `lost` did
    not come within `patience` seconds, nor within `quiet` seconds of the one before."""
    port = free_port()
    prepared = side.prepare([f"http://127.0.0.1:{port}/"], events=events)
    began = time.perf_counter()
    accepted = make_happen(side, prepared)
    threading.Event().wait(max(down - (time.perf_counter() - began), 0))
    with listening(side.event_in, port=port) as sink:
        back = time.perf_counter()
        missing = sink.wait_for(accepted, timeout=patience, quiet=quiet)
        last = max((arrival.at for arrival in sink.arrivals), default=back)
    return {
        "events": len(accepted),
        "lost": len(missing),
        "down_s": down,
        "all_came_s_after": round(last - back, 1),
    }


def killed(
    side: Side, *, events: int, kill: Callable[[], None], restart: Callable[[], None], patience: float, quiet: float
) -> dict[str, Any]:
    """A burst in whose middle something is killed and started again. `lost` was accepted and never came; `renamed`
    came again as another message, so that its receiver could not know it as a repeat."""
    with listening(side.event_in, delay=0.1) as sink:
        prepared = side.prepare([sink.url], events=events)
        with ThreadPoolExecutor(1) as thread:
            making = thread.submit(make_happen, side, prepared)
            with sink.changed:
                sink.changed.wait_for(lambda: len(sink.arrivals) >= events // 4, 60)
            kill()
            arrived = len(sink.events)
            accepted = making.result()
        restart()
        missing = sink.wait_for(accepted, timeout=patience, quiet=quiet)
        messages = Counter(event for event, _ in {(one.event, one.message) for one in sink.arrivals})
    return {
        "events": len(accepted),
        "lost": len(missing),
        "arrived_before": arrived,
        "repeated": len(sink.arrivals) - len(sink.events),
        "renamed": sum(count > 1 for count in messages.values()),
    }


def neighbour(side: Side, *, events: int, seconds: float) -> dict[str, Any]:
    """Milliseconds from an event to a healthy receiver, one at a time: alone, and beside an endpoint that always fails,
    one that never answers, and both, called for the same events."""
    p50 = {}
    cases: dict[str, list[dict[str, Any]]] = {
        "alone": [],
        "beside_failing": [{"status": 500}],
        "beside_hanging": [{"delay": NEVER}],
        "beside_both": [{"status": 500}, {"delay": NEVER}],
    }
    for case, behaviours in cases.items():
        with ExitStack() as stack:
            healthy = stack.enter_context(listening(side.event_in))
            others = [stack.enter_context(listening(side.event_in, **behaviour)) for behaviour in behaviours]
            prepared = side.prepare([sink.url for sink in [*others, healthy]], events=events + WARM_UP)
            latencies(side, healthy, prepared[:WARM_UP], for_at_most=seconds)
            took = latencies(side, healthy, prepared[WARM_UP:], for_at_most=seconds)
            p50[f"{case}_p50_ms"] = round(percentile(took, 0.5), 1)
    worst = max(value for name, value in p50.items() if not name.startswith("alone"))
    return {**p50, "worst_ratio": round(worst / p50["alone_p50_ms"], 2)}
