import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import Organization, Team
from wandb_gateway import ids


@given(st.sampled_from(["Run", "Project", "Artifact"]), st.integers(0, 10**15 - 1))
def test_an_id_leads_back_to_what_it_was_made_of(kind: str, number: int) -> None:
    assert ids.decode(ids.encode(kind, number), "Run", "Project", "Artifact") == (kind, number)


def test_ids_are_base64_of_a_kind_and_a_number_since_the_client_decodes_them() -> None:
    assert base64.b64decode(ids.encode("Artifact", 123)) == b"Artifact:123"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "QXJ0aWZhY3Q",  # base64 without its padding
        base64.b64encode(b"Artifact:").decode(),
        base64.b64encode(b"Artifact:-1").decode(),
        base64.b64encode(b"Artifact:1\n").decode(),
        base64.b64encode("Artifact:１".encode()).decode(),
        base64.b64encode(b"Artifact:1234567890123456").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        "\u2026",
    ],
)
def test_what_is_no_id_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ids.UnknownId, match="is not the id of Artifact"):
        ids.number(text, "Artifact")


def test_an_id_of_another_kind_is_refused() -> None:
    with pytest.raises(ids.UnknownId, match="is not the id of Run or Project"):
        ids.decode(ids.encode("Artifact", 1), "Run", "Project")


def test_teams_and_organizations_are_entities_and_stay_apart() -> None:
    team, organization = Team(pk=7), Organization(pk=7)
    assert ids.of_entity(team) != ids.of_entity(organization)
    assert ids.entity(ids.of_entity(team)) == (Team, 7)
    assert ids.entity(ids.of_entity(organization)) == (Organization, 7)
