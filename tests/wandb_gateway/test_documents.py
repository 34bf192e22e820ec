import pytest

from wandb_gateway import documents
from wandb_gateway.schema import SCHEMA

TOO_MUCH = "asks for too much at once"


def doubled(depth: int) -> str:
    """Fragments that unfold to 2 ** depth fields."""
    links = "".join(f"fragment F{n} on User {{ a{n}: username ...F{n + 1} ...F{n + 1} }} " for n in range(depth))
    return f"{{ viewer {{ ...F0 }} }} {links} fragment F{depth} on User {{ id }}"


def nested(lists: int) -> str:
    inner = "id"
    for _ in range(lists):
        inner = f"projects {{ edges {{ node {{ entity {{ {inner} }} }} }} }}"
    return f'{{ entity(name: "a") {{ {inner} }} }}'


def test_a_document_is_read_once() -> None:
    assert documents.read("{ viewer { id } }", SCHEMA) is documents.read("{ viewer { id } }", SCHEMA)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "cannot be read"),
        ("{ viewer {", "cannot be read"),
        ("{ viewer { shoeSize } }", "Cannot query field 'shoeSize' on type 'User'"),
        ("{ viewer { ...Nowhere } }", "Unknown fragment 'Nowhere'"),
        ("{ viewer { ...A } } fragment A on User { ...A }", TOO_MUCH),
        (doubled(30), TOO_MUCH),
        (nested(5), TOO_MUCH),
        (f"{{ viewer {{ {'username ' * 1001} }} }}", TOO_MUCH),
        # Equal fields are compared with each other, each with each: the library gives up on so many of them.
        (f"{{ viewer {{ {'username ' * 990} }} }}", "Validation aborted"),
        (f"{{ viewer {{ {'x' * 100_000} }} }}", "at most 100,000 are read"),
        ("{" * 5_000, "cannot be read"),
        ("{ a " * 3_000, "cannot be read"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(documents.InvalidDocument, match=complaint):
        documents.read(text, SCHEMA)


def test_a_document_of_many_fields_is_read() -> None:
    fields = " ".join(f"a{number}: username" for number in range(990))
    assert documents.read(f"{{ viewer {{ {fields} }} }}", SCHEMA)


def test_lists_may_stand_inside_each_other_as_the_client_needs_them() -> None:
    assert documents.read(nested(2), SCHEMA)
