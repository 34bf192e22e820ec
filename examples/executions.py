"""What came of it: the history of an automation, read over REST, because the wandb client knows no such thing."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from typing import Any

import wandb

OVER = {"finished", "failed", "skipped"}
PATIENCE = 60  # seconds


class History:
    """The executions of one automation in a place such as `project="research/digits"`, from now on."""

    def __init__(self, api: wandb.Api, automation: str, **place: str) -> None:
        self._query = urllib.parse.urlencode({"page_size": 100, **place})
        self._url = str(api.settings["base_url"]).rstrip("/")
        self._headers = {"Authorization": f"Bearer {api.api_key}"}
        self._automation = automation
        self._seen = {one["key"] for one in self._read()}

    def wait(self) -> dict[str, Any]:
        """The next execution, once it is over."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for one in self._read():
                if one["key"] not in self._seen and one["status"] in OVER:
                    self._seen.add(one["key"])
                    return one
            time.sleep(0.5)
        raise SystemExit(f"After {PATIENCE} seconds “{self._automation}” has done nothing yet. Its page says why.")

    def tell(self, execution: dict[str, Any]) -> None:
        """Print what happened, and where the server shows it."""
        print(f"\n{execution['summary']}.")
        print(f"Because:  {execution['matched_because']}")
        print(f"Outcome:  {execution['status']}. {execution['result']}")
        print(f"Details:  {self._url}/executions/{execution['key']}")

    def _read(self) -> list[dict[str, Any]]:
        request = urllib.request.Request(f"{self._url}/api/executions/?{self._query}", headers=self._headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  the client checked the address
            found = json.load(answer)["results"]
        return [one for one in found if one["automation_name"] == self._automation]
