"""Settings as a process of its own reads them: what starts, what refuses to, what the example file says."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 40


def run(*command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with these variables and nothing of the tests' own environment."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder)} | variables
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def settings_with(folder: Path, *names: str, **variables: str) -> dict[str, object]:
    code = (
        "import json, automations_site.settings as s;"
        f"print(json.dumps({{name: getattr(s, name, None) for name in {names!r}}}, default=str))"
    )
    answer = run("-c", code, folder=folder, **variables)
    assert answer.returncode == 0, answer.stderr
    found: dict[str, object] = json.loads(answer.stdout)
    return found


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"PORT": "eight"},
            "PORT is 'eight', which is not a whole number. Set it to a number from 1 to 65535.",
        ),
        ({"SLACK_CLIENT_ID": "1.2"}, "SLACK_CLIENT_ID is set and SLACK_CLIENT_SECRET is not. Set both, or none"),
        ({"SLACK_CLIENT_SECRET": KEY}, "SLACK_CLIENT_SECRET is set and SLACK_CLIENT_ID is not. Set both, or none"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL is 'LOUD'. Set it to one of DEBUG, INFO, WARNING, ERROR."),
        ({"WEBHOOK_TOTAL_TIMEOUT": "60"}, "WEBHOOK_TOTAL_TIMEOUT is 60. Set it to a number from 1 to 30."),
        ({"DATABASE_URL": "postgresql://db/automations"}, "SECRET_KEY is not set. With DATABASE_URL no keys"),
        ({"DATABASE_URL": "postgresql://db/automations", "SECRET_KEY": KEY}, "FERNET_KEYS is not set."),
        (
            {"PUBLIC_URL": "https://example.com/automations"},
            "PUBLIC_URL holds more than scheme, host and port.",
        ),
    ],
)
def test_a_bad_value_stops_the_start_with_one_line(variables: dict[str, str], sentence: str, tmp_path: Path) -> None:
    answer = run("manage.py", "serve", folder=tmp_path, **variables)
    assert answer.returncode == 1
    assert answer.stderr.startswith("The server cannot start: ")
    assert sentence in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_embedded_default_needs_no_variable_and_keeps_its_keys_private(tmp_path: Path) -> None:
    found = settings_with(
        tmp_path / "data", "DATABASES", "SECRET_KEY", "Q_CLUSTER", "WEBHOOK_ALLOWED_NETWORKS", "DEBUG"
    )
    database = found["DATABASES"]["default"]  # type: ignore[index]
    assert database["NAME"] == str(tmp_path / "data" / "db.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert found["Q_CLUSTER"]["orm"] == "default"  # type: ignore[index]
    assert found["WEBHOOK_ALLOWED_NETWORKS"] == []
    assert found["DEBUG"] is False
    for name in ("secret-key", "fernet-keys"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_keys_can_be_handed_over_as_files(tmp_path: Path) -> None:
    for name in ("signing", "sealing"):
        (tmp_path / name).write_text(f"{name}-key-of-more-than-thirty-two-characters\n")
    found = settings_with(
        tmp_path,
        "SECRET_KEY",
        "FERNET_KEYS",
        DATABASE_URL="postgresql://bob:pw@db.internal/automations",
        SECRET_KEY_FILE=str(tmp_path / "signing"),
        FERNET_KEYS_FILE=str(tmp_path / "sealing"),
    )
    assert found == {
        "SECRET_KEY": "signing-key-of-more-than-thirty-two-characters",
        "FERNET_KEYS": ["sealing-key-of-more-than-thirty-two-characters"],
    }
    assert not (tmp_path / "secret-key").exists()


def test_a_public_https_address_makes_cookies_secure_and_its_host_allowed(tmp_path: Path) -> None:
    found = settings_with(
        tmp_path,
        *("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "ALLOWED_HOSTS"),
        PUBLIC_URL="https://automations.example.com/",
        ALLOWED_HOSTS="10.0.0.7",
    )
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["SECURE_HSTS_SECONDS"] == 31_536_000
    assert found["ALLOWED_HOSTS"] == ["10.0.0.7", "automations.example.com"]


def test_redis_carries_queue_and_heartbeat_when_it_is_named(tmp_path: Path) -> None:
    found = settings_with(tmp_path, "Q_CLUSTER", "CACHES", REDIS_URL="redis://cache.internal:6379/3")
    assert found["Q_CLUSTER"]["redis"] == "redis://cache.internal:6379/3"  # type: ignore[index]
    assert "orm" not in found["Q_CLUSTER"]  # type: ignore[operator]
    assert found["CACHES"]["shared"]["LOCATION"] == "redis://cache.internal:6379/3"  # type: ignore[index]


def test_the_queue_waits_longer_than_its_tasks_may_take(tmp_path: Path) -> None:
    found = settings_with(tmp_path, "Q_CLUSTER", "WEBHOOK_TOTAL_TIMEOUT", WEBHOOK_TOTAL_TIMEOUT="30")
    queue = found["Q_CLUSTER"]
    assert found["WEBHOOK_TOTAL_TIMEOUT"] < queue["timeout"] < queue["retry"]  # type: ignore[index,operator]


def test_the_example_file_names_every_variable_and_no_other() -> None:
    source = (ROOT / "automations_site" / "settings.py").read_text()
    read = set(re.findall(r'env\.[a-z]+\(\s*"([A-Z_]+)"', source))
    documented = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert documented == read


def test_the_example_file_shows_values_that_start_the_server(tmp_path: Path) -> None:
    lines = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    shown = {name: value for name, value in lines if name != "DATA_DIR"}
    assert settings_with(tmp_path, "PORT", **shown) == settings_with(tmp_path, "PORT")
