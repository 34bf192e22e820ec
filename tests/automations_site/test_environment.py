"""Every value an operator can get wrong is answered with a sentence that names the variable."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from automations_site.environment import Environment, private_folder


def read(**variables: str) -> Environment:
    return Environment(variables)


def test_a_variable_that_is_empty_counts_as_not_set() -> None:
    assert read(PORT="").number("PORT", 8000, least=1, most=65535) == 8000
    assert read(HOST="  ").text("HOST", "127.0.0.1") == "127.0.0.1"
    assert read().flag("DEBUG", default=False) is False


def test_a_file_wins_over_the_variable_and_loses_its_last_newline(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from the file\n")
    assert read(SECRET_KEY="from the variable", SECRET_KEY_FILE=str(secret)).text("SECRET_KEY") == "from the file"


def test_a_key_that_begins_with_a_dollar_sign_stays_as_it_is() -> None:
    assert read(SECRET_KEY="$HOME-is-not-looked-up").text("SECRET_KEY") == "$HOME-is-not-looked-up"


def test_lists_drop_blanks() -> None:
    assert read(ALLOWED_HOSTS=" a.example , ,b.example,").words("ALLOWED_HOSTS") == ["a.example", "b.example"]


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("ON", True), ("1", True), ("No", False), ("0", False)])
def test_flags_are_read_in_the_usual_spellings(word: str, meant: bool) -> None:
    assert read(DEBUG=word).flag("DEBUG", default=not meant) is meant


def test_postgresql_urls_keep_special_characters_of_the_password() -> None:
    database = read(DATABASE_URL="postgresql://bob:p%40ss%2Fword@db.internal:5433/automations").database("DATABASE_URL")
    assert database is not None
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["NAME"], database["USER"], database["PASSWORD"]) == ("automations", "bob", "p@ss/word")
    assert (database["HOST"], database["PORT"]) == ("db.internal", 5433)


@pytest.mark.parametrize(
    ("use", "variables"),
    [
        (lambda env: env.flag("NAME", default=True), {"NAME": "maybe"}),
        (lambda env: env.number("NAME", 1, least=1, most=9), {"NAME": "ten"}),
        (lambda env: env.number("NAME", 1, least=1, most=9), {"NAME": "10"}),
        (lambda env: env.number("NAME", 1, least=1, most=9), {"NAME": "1.5"}),
        (lambda env: env.choice("NAME", "A", of=("A", "B")), {"NAME": "c"}),
        (lambda env: env.url("NAME", "", schemes=("https",)), {"NAME": "example.com"}),
        (lambda env: env.url("NAME", "", schemes=("https",)), {"NAME": "ftp://example.com"}),
        (lambda env: env.url("NAME", "", schemes=("https",)), {"NAME": "https://example.com:port"}),
        (lambda env: env.database("NAME"), {"NAME": "mysql://db.internal/automations"}),
        (lambda env: env.database("NAME"), {"NAME": "postgresql://db.internal:port/automations"}),
        (lambda env: env.database("NAME"), {"NAME": "postgresql://db.internal:5432/"}),
        (lambda env: env.keys("NAME", generated_in=None), {}),
        (lambda env: env.keys("NAME", generated_in=None), {"NAME": "short"}),
        (lambda env: env.text("NAME"), {"NAME_FILE": "/nowhere/at/all"}),
    ],
)
def test_a_bad_value_is_answered_with_a_sentence_that_names_the_variable(
    use: Callable[[Environment], object], variables: dict[str, str]
) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        use(read(**variables))
    sentence = str(refusal.value)
    assert sentence.startswith("NAME")
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_refused_url_is_not_repeated_because_it_may_hold_a_password() -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(REDIS_URL="http://:canary@redis.internal").url("REDIS_URL", "", schemes=("redis",))
    assert "canary" not in str(refusal.value)


def test_generated_keys_are_private_random_and_kept(tmp_path: Path) -> None:
    first = read().keys("FERNET_KEYS", generated_in=tmp_path)
    assert read().keys("FERNET_KEYS", generated_in=tmp_path) == first
    assert len(first[0]) >= 50
    file = tmp_path / "fernet-keys"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_processes_that_start_at_once_agree_on_the_generated_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: read().keys("SECRET_KEY", generated_in=tmp_path)[0], range(64)))
    assert len(set(found)) == 1


def test_an_emptied_key_file_stops_the_start_instead_of_sealing_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "fernet-keys").write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        read().keys("FERNET_KEYS", generated_in=tmp_path)


def test_several_keys_are_kept_newest_first() -> None:
    newest, oldest = "n" * 40, "o" * 40
    assert read(FERNET_KEYS=f"{newest}, {oldest}").keys("FERNET_KEYS", generated_in=None) == [newest, oldest]


def test_the_data_folder_is_made_private(tmp_path: Path) -> None:
    folder = private_folder(tmp_path / "a" / "b", named_by="DATA_DIR")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_data_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match=r"^DATA_DIR is .*cannot be made"):
        private_folder(tmp_path / "file" / "folder", named_by="DATA_DIR")


@pytest.mark.parametrize(
    ("url", "port", "secured"),
    [
        ("smtp+tls://me:p%40ss@mail.example.com", 587, "EMAIL_USE_TLS"),
        ("smtp+ssl://me:p%40ss@mail.example.com", 465, "EMAIL_USE_SSL"),
        ("smtp://me:p%40ss@mail.example.com:2525", 2525, "EMAIL_HOST"),
    ],
)
def test_a_mail_server_is_read_with_the_port_its_scheme_means(url: str, port: int, secured: str) -> None:
    found = read(EMAIL_URL=url).email("EMAIL_URL")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.com", port)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("me", "p@ss")
    assert found[secured]
    assert read().email("EMAIL_URL") == {}


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://hunter2@x", "smtp://", "smtp://hunter2@x:port", "dummymail://"]
)
def test_what_is_no_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is not a mail server") as refused:
        read(EMAIL_URL=url).email("EMAIL_URL")
    assert "hunter2" not in str(refused.value)
