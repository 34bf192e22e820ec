"""Whether a service answers: `python tests/services.py redis redis://127.0.0.1:6379` ends with status 0 if so."""

import sys


def answers(name: str, url: str) -> bool:
    if name == "redis":
        import redis

        try:
            with redis.Redis.from_url(url, socket_connect_timeout=3) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if answers(*sys.argv[1:3]) else 1)
