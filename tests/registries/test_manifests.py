"""Lists of files as clients write them: read, or refused with a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registries import manifests
from registries.manifests import InvalidManifest
from tests import uploading

MD5 = uploading.md5_of(b"x")


def written(contents: Any) -> bytes:
    return json.dumps({"version": 1, "contents": contents}).encode()


def test_files_and_references_are_read_by_path() -> None:
    text = written({"b": {"digest": "etag", "ref": "s3://b/k"}, "a/w": {"digest": MD5, "size": 3, "local_path": "/x"}})
    first, second = manifests.read(text)
    assert (first.path, first.digest, first.size, first.reference) == ("a/w", MD5, 3, "")
    assert (second.path, second.reference, second.size) == ("b", "s3://b/k", 0)
    assert manifests.total_size([first, second]) == 3
    assert manifests.read(manifests.EMPTY) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{", "is not JSON"),
        (b"[]", "has no “contents”"),
        (written([]), "has no “contents”"),
        (written({"a": 1}), "What is said of “a” is no object"),
        (written({"a": {"digest": "?"}}), "digest of “a” is no MD5"),
        (written({"a": {"digest": MD5, "size": -1}}), "size of “a” is no number"),
        (written({"a": {"digest": MD5, "size": True}}), "size of “a” is no number"),
        (written({"a": {"digest": MD5, "ref": 5}}), "“ref” of “a” is no text"),
        (written({"a": {"digest": "x" * 10_001, "ref": "s3://b"}}), "“digest” of “a” is no text"),
        *(
            (written({path: {"digest": MD5}}), "is no path")
            for path in ("", "../up", "a//b", "/root", "ü" * 501, "\x00")
        ),
    ],
)
def test_what_is_no_list_of_files_is_refused(text: bytes, complaint: str) -> None:
    with pytest.raises(InvalidManifest, match=complaint):
        manifests.read(text)


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MOST_ENTRIES", 1)
    with pytest.raises(InvalidManifest, match="has 2 files; at most 1"):
        manifests.read(written({"a": {"digest": MD5}, "b": {"digest": MD5}}))


def test_additions_are_laid_over_what_was_there() -> None:
    base = written({"a": {"digest": MD5, "size": 1}, "b": {"digest": MD5, "size": 1}})
    merged = manifests.read(manifests.merged(written({"b": {"digest": MD5, "size": 2}}), onto=base))
    assert [(entry.path, entry.size) for entry in merged] == [("a", 1), ("b", 2)]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_whatever_comes_is_read_or_refused(value: Any) -> None:
    for text in (json.dumps(value).encode(), written(value), written({"a": value})):
        try:
            manifests.read(text)
        except InvalidManifest:
            continue
