#!/usr/bin/env bash
# Gets ready what tests talk to beside the server: Chromium, PostgreSQL, Redis. Installs and starts only what is missing, only
# as root on Debian, and leaves what it cannot do to the tests, which say what they missed.
set -uo pipefail
cd "$(dirname "$0")/.."

answers() { .venv/bin/python tests/services.py "$@"; }
say() { printf '%s\n' "$*" >&2; }

install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "Installing $*"
    local log
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -yqq --no-install-recommends "$@"; } >"$log" 2>&1
    then
        tail -5 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

chromium() {
    [ -n "${CHROMIUM:-}" ] && return
    # `type -P` looks for files only: `command -v chromium` would find this function.
    [ -n "$(type -P chromium chromium-browser google-chrome)" ] && return
    install chromium fonts-dejavu-core || say "Chromium is missing; install it for the browser tests (apt-get install chromium)."
}

# Only a server on this machine can be started; an URL elsewhere is somebody else's.
is_local() { [[ "$1" == *127.0.0.1* || "$1" == *localhost* ]]; }

postgresql() {
    local url=${TEST_DATABASE_URL_POSTGRESQL:-postgresql://postgres@127.0.0.1:5432/postgres}
    answers postgresql "$url" && return
    is_local "$url" || { say "PostgreSQL does not answer at the given TEST_DATABASE_URL_POSTGRESQL."; return; }
    command -v pg_ctlcluster >/dev/null || { say "PostgreSQL is missing; the tests run on SQLite alone."; return; }
    local version
    version=$(ls /etc/postgresql 2>/dev/null | sort -V | tail -1)
    say "Starting PostgreSQL $version"
    pg_ctlcluster --skip-systemctl-redirect "$version" main start >&2
    for _ in $(seq 50); do answers postgresql "$url" && return; sleep 0.2; done
    say "PostgreSQL was started but does not let this user in at the given TEST_DATABASE_URL_POSTGRESQL."
}

redis() {
    local url=${TEST_REDIS_URL:-redis://127.0.0.1:6379}
    answers redis "$url" && return
    is_local "$url" || { say "Redis does not answer at the given TEST_REDIS_URL."; return; }
    command -v redis-server >/dev/null || { say "Redis is missing; tests that need it are skipped."; return; }
    say "Starting Redis"
    redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no --dir "$(mktemp -d)" >/dev/null
    for _ in $(seq 50); do answers redis "$url" && return; sleep 0.2; done
    say "Redis was started but does not answer."
}

chromium
postgresql
redis
exit 0
