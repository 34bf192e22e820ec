"""Finding secrets in text, in whatever way a receiver wrote them down (SE1)."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

import re2

MASK = "••••••"
# Bytes of the pattern. Values that no longer fit, the longest ones, are looked for in their usual spellings only.
LARGEST_PATTERN = 250_000
PATTERN_MEMORY = 32 << 20
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# What fewer bytes leave in base64 is too short to be told from anything else.
SHORTEST_IN_BASE64 = 4
JSON_SHORT = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "'": "'", "/": "/"}
HTML_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "\u00a0": "nbsp"}


class Redaction:
    """Masks some secrets. Every character may be escaped in its own way, because writers differ in what they escape;
    base64 is found anywhere, also behind a user name, unpadded, and in the alphabet of addresses."""

    def __init__(self, values: Iterable[str]) -> None:
        # Headers go without the spaces around them.
        sent = sorted({form for value in values for form in (value, value.strip()) if form})
        forms, too_long = _fitting(sent)
        self._pattern = _compiled(forms, case_sensitive=True)
        self._name_pattern = _compiled(forms, case_sensitive=False)
        self._usual = _by_length(_usual_spellings(sent))
        self._plain = _by_length(_usual_spellings(too_long))

    def mask(self, text: str) -> str:
        """The text with every secret in it masked."""
        return self._masked(text, self._pattern)

    def mask_name(self, name: str) -> str:
        """The same for the name of a header, whose letters may have changed case on the way."""
        return self._masked(name, self._name_pattern)

    def mask_end(self, text: str) -> str:
        """The text without an end that is the beginning of a secret, and long enough to tell something."""
        text = text.rstrip("\N{REPLACEMENT CHARACTER}")  # the cut may have gone through a character
        longest = max((_overlap(text, spelling) for spelling in self._usual), default=0)
        return text[:-longest] + MASK if longest > 3 else text

    def _masked(self, text: str, pattern: Any) -> str:
        for spelling in self._plain:
            text = text.replace(spelling, MASK)
        if pattern is None:
            return text
        # Half characters of JSON pass through as they are.
        masked: bytes = pattern.sub(MASK.encode(), text.encode(errors="surrogatepass"))
        return masked.decode(errors="surrogatepass")


def _by_length(spellings: Iterable[str]) -> list[str]:
    return sorted(spellings, key=len, reverse=True)


def _overlap(text: str, spelling: str) -> int:
    """How many characters at the end of the text are the beginning of the spelling."""
    lengths = range(len(spelling) - 1, 0, -1)
    return next((length for length in lengths if text.endswith(spelling[:length])), 0)


def _fitting(values: Iterable[str]) -> tuple[list[bytes], list[str]]:
    """Patterns of the values that fit in one, and the values that do not."""
    forms: set[bytes] = set()
    too_long, size = [], 0
    for value in sorted(values, key=len):
        more = {form.encode() for form in _forms(value)} - forms
        size += sum(map(len, more))
        if size > LARGEST_PATTERN:
            too_long.append(value)
        else:
            forms |= more
    return sorted(forms), too_long


def _compiled(forms: list[bytes], *, case_sensitive: bool) -> Any:
    """One pattern for all values, or None without any; on bytes, because RE2 replaces only those unharmed."""
    if not forms:
        return None
    options = re2.Options()
    options.case_sensitive, options.longest_match = case_sensitive, True
    options.never_capture, options.log_errors = True, False
    options.max_mem = PATTERN_MEMORY
    return re2.compile(b"|".join(forms), options=options)


def _forms(value: str) -> Iterable[str]:
    for reading in _readings(value):
        yield "".join(map(_character, reading))
    for raw in _bytes_of(value):
        if len(raw) >= SHORTEST_IN_BASE64:
            yield from (_in_base64(raw, offset) for offset in range(3))


def _readings(sent: str) -> set[str]:
    """Headers of answers are read as Latin-1 and bodies as UTF-8, whatever the receiver wrote."""
    readings = {sent, sent.encode().decode("latin-1")}
    if max(map(ord, sent)) < 256:
        readings.add(sent.encode("latin-1").decode(errors="replace"))
    return readings


def _bytes_of(value: str) -> set[bytes]:
    latin = {value.encode("latin-1")} if max(map(ord, value)) < 256 else set()
    return {value.encode()} | latin


@lru_cache(maxsize=4096)
def _character(character: str) -> str:
    """A pattern of all ways to write one character: itself, JSON, Python, HTML, addresses and forms."""
    literal = re2.escape(character)
    if character.isascii() and character.isalnum():
        return str(literal)
    code = ord(character)
    units = character.encode("utf-16-be")
    ways = [
        literal,
        r"\\+" + literal,
        "".join(rf"\\+u{_hex(units[at : at + 2])}" for at in range(0, len(units), 2)),
        "".join(f"%{_hex(bytes([byte]))}" for byte in character.encode()),
        rf"&#0*{code};",
        rf"&#[xX]0*{_hex_digits(f'{code:x}')};",
    ]
    if code < 256:
        ways += [rf"\\+x{_hex(bytes([code]))}", f"%{_hex(bytes([code]))}"]
    if character == "\\":
        ways.append(r"\\+")
    if character in JSON_SHORT:
        ways.append(rf"\\+{JSON_SHORT[character]}")
    if character in HTML_NAMES:
        ways.append(f"&{HTML_NAMES[character]};")
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(dict.fromkeys(ways))})"


def _hex(raw: bytes) -> str:
    return _hex_digits(raw.hex())


def _hex_digits(digits: str) -> str:
    """Digits in either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _in_base64(raw: bytes, offset: int) -> str:
    """The bytes as base64 writes them when `offset` bytes, modulo 3, are before them.

    The characters at both ends may hold bits of the neighbours too: they are any of those possible there.
    """
    bits = "".join(f"{byte:08b}" for byte in raw)
    bits = "?" * 8 * offset + bits
    bits += "?" * (-len(bits) % 6)
    characters = [_sextet(bits[at : at + 6]) for at in range(0, len(bits), 6) if bits[at : at + 6] != "?" * 6]
    if offset:
        characters[0] += "?"
    if len(raw) % 3 != (3 - offset) % 3:
        characters[-1] = f"(?:{characters[-1]}(?:=|%3[dD]|\\\\+u003[dD]){{0,2}})?"
    return "".join(characters)


@lru_cache(maxsize=4096)
def _sextet(bits: str) -> str:
    """The characters whose six bits are these, `?` for one that is not known."""
    codes = [code for code in range(64) if all(one in ("?", bit) for one, bit in zip(bits, f"{code:06b}", strict=True))]
    ways = []
    for code in codes:
        ways.append(_character(BASE64[code]))
        if code > 61:
            ways.append("-" if code == 62 else "_")
    return f"(?:{'|'.join(ways)})" if len(ways) > 1 else ways[0]


def _usual_spellings(values: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for sent in values:
        for raw in _bytes_of(sent):
            padded = base64.b64encode(raw).decode()
            found |= {padded.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="), padded}
        for read in _readings(sent):
            found |= _escaped(read)
    return found


def _escaped(text: str) -> set[str]:
    in_json, letters = json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]
    lower = in_json.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
    return {
        text,
        html.escape(text),
        in_json,
        letters,
        in_json.replace("/", r"\/"),
        letters.replace("/", r"\/"),
        lower,
        lower.replace(r"\u003c", r"\u003C").replace(r"\u003e", r"\u003E"),
        repr(text)[1:-1],
        quote(text, safe=""),
        quote(text),
        quote_plus(text),
    }
