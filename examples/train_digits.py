"""A small real training that logs to the server over REST: a neural network learns to read digits.

It needs numpy and nothing else; with scikit-learn installed it learns from real handwriting. `Server` and `Run` below
are all a script needs to log: copy them.

    python examples/train_digits.py               # a training that goes well
    python examples/train_digits.py --fail        # it breaks half-way: the run fails
    python examples/train_digits.py --diverge     # the learning rate is far too high: the loss becomes NaN
    python examples/train_digits.py --promote     # the model is logged, and gets the alias production
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

FIRST_LOGIN = Path(__file__).resolve().parent.parent / ".data" / "first-login.json"
NEEDED = ("url", "api_key", "team", "project")
COLLECTION = "digits-classifier"
ROWS_PER_BATCH = 25


# --- logging: the client ----------------------------------------------------------------------------------------------


class Refused(Exception):
    """The server answered with an error, or did not answer; the text says what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Server:
    """The REST API, with a key that signs in."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def send(self, path: str, body: Any, *, method: str = "POST") -> Any:
        """Send JSON to an address below /api/. Python writes NaN into it as it is, and the server takes that."""
        text = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", text, self._headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  read_options looked at the scheme
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"The server refused the request ({error.code}). {_detail(error)}", error.code) from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise Refused(f"No server answers at {self.url} ({reason}). Start one with “make run”.") from error
        except ValueError as error:  # it is not JSON
            raise Refused(f"What answers at {self.url} is not this server. Check the URL.") from error


def _detail(error: urllib.error.HTTPError) -> str:
    """The sentence of a problem document (RFC 9457), which says what went wrong and what to do."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return "It gave no reason; check the URL."


class Run:
    """One run. As a context it reports how it ended: finished, failed if an exception came out, killed by Ctrl-C."""

    def __init__(self, server: Server, team: str, project: str, *, name: str, config: dict[str, Any]) -> None:
        self.server = server
        self.project = f"projects/{team}/{project}"
        begun = server.send(f"{self.project}/runs/", {"display_name": name, "config": config})
        self.id: str = begun["run_id"]
        self.page = f"{server.url}/{team}/{project}/runs/{self.id}"
        self._waiting: list[dict[str, float]] = []
        self._sent = 0

    def log(self, **values: float) -> None:
        """Note one row of metrics. Rows travel in batches: one request for many is much cheaper for both sides."""
        self._waiting.append(values)
        if len(self._waiting) >= ROWS_PER_BATCH:
            self.flush()

    def flush(self) -> None:
        """Send the rows that wait. `first_line` makes it harmless to send the same batch twice."""
        if self._waiting:
            address = f"{self.project}/runs/{self.id}/metrics/?first_line={self._sent}"
            self._sent = self.server.send(address, self._waiting)["lines"]
            self._waiting = []

    def summarize(self, **values: float) -> None:
        """Put results beside the last value of each metric."""
        self.server.send(f"{self.project}/runs/{self.id}/", {"summary": values}, method="PATCH")

    def log_model(self, metadata: dict[str, Any], *, aliases: list[str]) -> str:
        """Log a version of the model, and return its number: v0, v1, …"""
        model = {"collection": COLLECTION, "type": "model", "run": self.id, "metadata": metadata, "aliases": aliases}
        return str(self.server.send(f"{self.project}/artifacts/", model)["version"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Refused) and not error.status:
            return  # the server is out of reach; it will notice the silence, and call the run crashed
        self.flush()
        if isinstance(error, KeyboardInterrupt):
            self.server.send(f"{self.project}/runs/{self.id}/kill/", {})
            return
        self.server.send(f"{self.project}/runs/{self.id}/finish/", {"exit_code": 0 if error is None else 1})


# --- what is learnt ---------------------------------------------------------------------------------------------------

# Segments of a digital clock, as pixels of an image of 7 rows and 3 columns; and which of them each digit lights.
SEGMENTS = ((0, 1, 2), (0, 3, 6, 9), (2, 5, 8, 11), (9, 10, 11), (9, 12, 15, 18), (11, 14, 17, 20), (18, 19, 20))
LIT = ("012456", "25", "02346", "02356", "1235", "01356", "013456", "025", "0123456", "012356")


def load_digits() -> tuple[Floats, Labels, str]:
    """Images of 64 pixels from 0 to 1 in rows, the digit of each, and a sentence that says where they are from."""
    try:
        digits = importlib.import_module("sklearn.datasets").load_digits()
    except ImportError:
        images, labels = make_digits(1800, np.random.default_rng(7))
        return images, labels, f"Data: {len(labels)} digits made with numpy, since scikit-learn is not installed."
    where_from = f"Data: {len(digits.target)} handwritten digits that come with scikit-learn."
    return (digits.data / 16).astype(np.float32), digits.target.astype(np.int64), where_from


def make_digits(count: int, random: np.random.Generator) -> tuple[Floats, Labels]:
    """Digits of a digital clock, here and there in an image of 8 × 8 pixels, under noise."""
    labels = random.integers(0, 10, count)
    images = random.normal(0, 0.15, (count, 8, 8))
    for image, label in zip(images, labels, strict=True):
        glyph = np.zeros(21)
        for segment in LIT[label]:
            glyph[list(SEGMENTS[int(segment)])] = random.uniform(0.6, 1)
        row, column = random.integers(0, 2), random.integers(2, 4)
        image[row : row + 7, column : column + 3] += glyph.reshape(7, 3)
    return images.clip(0, 1).reshape(count, 64).astype(np.float32), labels.astype(np.int64)


class Network:
    """64 pixels → 32 rectified units → 10 scores, trained with stochastic gradient descent and weight decay."""

    def __init__(self, random: np.random.Generator, *, hidden: int = 32) -> None:
        self.inner = random.normal(0, 0.15, (65, hidden)).astype(np.float32)
        self.outer = random.normal(0, 0.15, (hidden + 1, 10)).astype(np.float32)

    def forward(self, images: Floats) -> tuple[Floats, Floats]:
        """The hidden units and the log-probabilities of the ten digits. The last weight of a unit is its bias."""
        before = images @ self.inner[:-1] + self.inner[-1]
        units = np.where(before > 0, before, before * np.float32(0.1))
        scores = units @ self.outer[:-1] + self.outer[-1]
        scores = scores - scores.max(axis=1, keepdims=True)
        return units, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    def step(self, images: Floats, labels: Labels, *, lr: float, decay: float) -> tuple[float, float]:
        """One step downhill. Returns the loss (mean cross-entropy) and the accuracy from before it."""
        units, logs = self.forward(images)
        rows = np.arange(len(labels))
        loss, accuracy = -logs[rows, labels].mean(), (logs.argmax(axis=1) == labels).mean()
        slope = np.exp(logs)
        slope[rows, labels] -= 1
        slope /= len(labels)
        slope_inner = (slope @ self.outer[:-1].T) * np.where(units > 0, 1, 0.1).astype(np.float32)
        self.outer -= np.float32(lr) * (self._gradient(units, slope) + np.float32(decay) * self.outer)
        self.inner -= np.float32(lr) * (self._gradient(images, slope_inner) + np.float32(decay) * self.inner)
        return float(loss), float(accuracy)

    @staticmethod
    def _gradient(inputs: Floats, slope: Floats) -> Floats:
        return np.vstack([inputs.T @ slope, slope.sum(axis=0)]).astype(np.float32)


def train(run: Run, images: Floats, labels: Labels, *, config: dict[str, Any], fail: bool) -> float:
    """Learn from four fifths of the digits; return the accuracy on the rest, and log everything on the way."""
    random = np.random.default_rng(config["seed"])
    network = Network(random)
    order = random.permutation(len(labels))
    test, learn = order[: len(order) // 5], order[len(order) // 5 :]
    accuracy = 0.0
    for epoch in range(config["epochs"]):
        for start in range(0, len(learn), config["batch_size"]):
            chosen = learn[start : start + config["batch_size"]]
            batch = images[chosen]
            if fail and epoch == config["epochs"] // 2:
                batch = batch[:, :-1]  # a damaged batch, one pixel short: numpy refuses it
            loss, seen = network.step(batch, labels[chosen], lr=config["lr"], decay=config["decay"])
            run.log(loss=loss, accuracy=seen, epoch=epoch)
        _, logs = network.forward(images[test])
        accuracy = float((logs.argmax(axis=1) == labels[test]).mean())
        run.log(test_accuracy=accuracy, epoch=epoch)
        print(f"Epoch {epoch + 1:2} of {config['epochs']}: loss {loss:.4f}, accuracy on unseen digits {accuracy:.1%}")
    run.summarize(best_test_accuracy=accuracy)
    return accuracy


def promote(run: Run, accuracy: float, *, config: dict[str, Any], registry: str) -> None:
    """Log the model, give it the alias production, and link it to a collection of a registry if one is named."""
    version = run.log_model({"accuracy": round(accuracy, 4), **config}, aliases=["candidate"])
    run.server.send(f"{run.project}/collections/{COLLECTION}/versions/{version}/aliases/", {"alias": "production"})
    print(f"Model {COLLECTION}:{version} is in production now.")
    if registry:
        organization, name, collection = registry.split("/")
        address = f"registries/{organization}/{name}/collections/"
        try:
            run.server.send(address, {"name": collection, "type": "model"})
        except Refused as refusal:
            if refusal.status != 409:  # a conflict: the collection is there already
                raise
        link = {"version": f"{run.project.removeprefix('projects/')}/{COLLECTION}:{version}", "aliases": ["production"]}
        print(f"Linked to {registry} as {run.server.send(f'{address}{collection}/links/', link)['version']}.")


# --- the command ------------------------------------------------------------------------------------------------------


def read_options() -> argparse.Namespace:
    """Options count most, then a login file that was named, the environment, and the login file in `.data/`."""
    parser = argparse.ArgumentParser(description="Train a small network on digits, and log it to the server.")
    parser.add_argument("--login", type=Path, metavar="FILE", help="the first-login.json of a server")
    parser.add_argument("--url", help="address of the server; also AUTOMATIONS_URL")
    parser.add_argument("--api-key", help="also AUTOMATIONS_API_KEY, which keeps it out of the list of processes")
    parser.add_argument("--team", help="also AUTOMATIONS_TEAM")
    parser.add_argument("--project", help="made if the team has none of this name; also AUTOMATIONS_PROJECT")
    parser.add_argument("--name", default="digits", help="display name of the run")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the data")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--fail", action="store_true", help="break half-way")
    how.add_argument("--diverge", action="store_true", help="learn at a rate that ends in NaN")
    how.add_argument("--promote", action="store_true", help="log the model and give it the alias production")
    parser.add_argument("--registry", default="", metavar="ORG/NAME/COLLECTION", help="with --promote, link it there")
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error("--epochs has to be 1 or more.")
    if options.registry and (not options.promote or options.registry.count("/") != 2):
        parser.error("--registry goes with --promote, and names organization/registry/collection.")
    login, environment = read_login(options.login), {n: os.environ.get(f"AUTOMATIONS_{n.upper()}") for n in NEEDED}
    first, second = (login, environment) if options.login else (environment, login)
    for name in NEEDED:
        value = getattr(options, name) or first.get(name) or second.get(name)
        if not value:
            parser.error(f"There is no {name.replace('_', ' ')}: give --{name.replace('_', '-')}, or --login FILE.")
        setattr(options, name, value)
    if not options.url.startswith(("http://", "https://")):
        parser.error("--url has to begin with http:// or https://.")
    return options


def read_login(named: Path | None) -> dict[str, str | None]:
    """What the server's first start wrote; if no file is named and none is in the usual place, nothing."""
    file = named or FIRST_LOGIN
    if named is None and not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        sys.exit(f"{file} cannot be read ({error}).")


def main() -> None:
    options = read_options()
    images, labels, where_from = load_digits()
    print(where_from)
    config = {"lr": 0.5, "decay": 1e-4, "batch_size": 32, "epochs": options.epochs, "seed": 1}
    if options.diverge:
        config["lr"] = 500.0  # each step overshoots by more than the last, until the weights are beyond all numbers
    with Run(
        Server(options.url, options.api_key), options.team, options.project, name=options.name, config=config
    ) as run:
        print(f"Run:  {run.page}")
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            accuracy = train(run, images, labels, config=config, fail=options.fail)
        if options.promote:
            promote(run, accuracy, config=config, registry=options.registry)


if __name__ == "__main__":
    try:
        main()
    except Refused as refusal:
        sys.exit(str(refusal))
