"""What one does with artifacts and registries, in both languages, on a desk and on a phone, by keyboard alone
(UI5, UI6).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, expect

from projects.models import Role
from registries import labels, lineage, roster
from registries.models import Collection, Membership, Registry, RegistryMember, Visibility
from tests import factories, uploading
from tests.browser.conftest import settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from projects.models import Project, User
    from tests.browser.conftest import Witness
    from tests.browser.visitor import Visitor


def settled(page: Page) -> None:
    """What htmx replaces has been replaced."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")).to_have_count(0)


def add(visitor: Visitor, invitation: str, name: str) -> Locator:
    """Write a label into its field and send it off; the field."""
    field = visitor.field(invitation)
    visitor.write(field, name)
    visitor.page.keyboard.press("Enter")
    return field


def say(visitor: Visitor, english: str, **values: str) -> None:
    """The page says so beside the labels, and is done with it."""
    expect(visitor.page.locator("#labels-said")).to_contain_text(visitor.words(english, **values))
    settled(visitor.page)


def toast(visitor: Visitor, english: str, **values: object) -> None:
    expect(visitor.page.locator("#toasts")).to_contain_text(visitor.words(english, **values))


def names(version: Membership) -> list[str]:
    return list(version.aliases.order_by("name").values_list("name", flat=True))


def test_labels_are_added_taken_back_and_refused(
    visitor: Visitor, witness: Witness, project: Project, alice: User
) -> None:
    witness.refusals = {422}
    older, version = (factories.make_version(project, "model", user=alice) for _ in range(2))
    labels.add_alias(older, "production", by=alice, at=older.created_at)
    page = visitor.page
    page.goto(version.get_absolute_url())
    alias = add(visitor, "Add alias", "staging")
    say(visitor, "%(name)s added.", name="staging")
    # The focus is where the next one is typed.
    expect(alias).to_be_focused()
    page.keyboard.type("production")
    page.keyboard.press("Enter")
    say(visitor, "%(name)s moved here from %(version)s.", name="production", version="v0")
    staging = visitor.find("button", "Remove %(label)s %(name)s", label=visitor.words("alias"), name="staging")
    visitor.press(staging)
    say(visitor, "%(name)s removed.", name="staging")
    expect(staging).to_have_count(0)
    assert names(version) == ["production"]
    visitor.press(visitor.find("button", "Undo"))
    expect(staging).to_be_visible()
    settled(page)

    tag = add(visitor, "Add tag", "no/tag")
    alert = "“%(name)s” cannot be a tag: use 1 to 128 letters, digits, “-”, “_” and inner spaces."
    expect(page.get_by_role("alert")).to_have_text(visitor.words(alert, name="no/tag"))
    expect(tag).to_have_value("no/tag")
    expect(tag).to_be_focused()
    settled(page)
    visitor.write(tag, "reviewed")
    page.keyboard.press("Enter")
    say(visitor, "%(name)s added.", name="reviewed")
    assert names(version) == ["production", "staging"]
    assert version.artifact.tags.get().name == "reviewed"


@pytest.fixture
def trained(project: Project, alice: User) -> Membership:
    """A version with files that a run logged, from data, and another run used."""
    run = factories.make_run(project, user=alice, display_name="train")
    data = factories.make_version(project, "images", "dataset", user=alice)
    lineage.use(data.artifact, run=run, at=timezone.now())
    version = uploading.log(
        project,
        {"weights.bin": b"0101"},
        by=alice,
        run=run,
        metadata={"depth": 18},
        references={"raw": "s3://bucket/raw"},
    )
    judge = factories.make_run(project, user=alice, display_name="judge")
    lineage.use(version.artifact, run=judge, at=timezone.now())
    return version


def test_a_version_is_found_read_and_its_lineage_walked(visitor: Visitor, trained: Membership) -> None:
    page = visitor.page
    page.goto("/research/digits/artifacts")
    search = visitor.find("searchbox", "Search collections by name")
    visitor.write(search, "nothing")
    expect(page.get_by_text(visitor.words("No collection has this in its name."))).to_be_visible()
    visitor.write(search, "MOD")
    expect(page).to_have_url(re.compile(r"\?q=MOD$"))
    collection = page.locator("#collections").get_by_role("link", name="model", exact=True)
    expect(collection).to_be_visible()
    settled(page)
    visitor.press(collection)
    expect(page.get_by_role("heading", level=1)).to_have_text("model")
    add(visitor, "Add tag", "vision")
    say(visitor, "%(name)s added.", name="vision")
    assert trained.collection.tags.get().name == "vision"
    visitor.press(page.get_by_role("link", name="v0"))

    expect(page.get_by_role("heading", level=1)).to_have_text("model:v0")
    settle(page)
    expect(page.get_by_role("row", name="depth")).to_contain_text("18")
    expect(page.get_by_role("row", name="raw")).to_contain_text("s3://bucket/raw")
    with page.expect_download() as download:
        visitor.press(page.get_by_role("link", name="weights.bin"))
    assert download.value.path().read_bytes() == b"0101"

    used = page.locator(".card").filter(has=page.get_by_role("heading", name=visitor.words("Used by")))
    expect(used.get_by_role("link")).to_have_text("judge")
    title = "Lineage of %(name)s, from left to right"
    graph = visitor.find("group", title, name="model:v0")
    visitor.press(page.locator(".lineage-list summary"))
    row = page.locator(".lineage-list").get_by_role("row").filter(has=page.get_by_role("link", name="model:v0")).first
    expect(row).to_contain_text("train")
    visitor.press(graph.get_by_role("link", name="train"), "Tab")
    expect(graph.get_by_role("link", name="model:v0")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("train")
    settle(page)
    visitor.press(visitor.find("group", title, name="train").get_by_role("link", name="images:v0"))
    expect(page.get_by_role("heading", level=1)).to_have_text("images:v0")
    expect(visitor.find("group", title, name="images:v0").get_by_role("link", name="train")).to_be_visible()
    settle(page)


def test_a_version_is_linked_from_its_page_and_unlinked(
    visitor: Visitor, registry: Registry, trained: Membership
) -> None:
    page = visitor.page
    page.goto(trained.get_absolute_url())
    link = visitor.find("button", "Link to registry")
    visitor.press(link)
    dialog = page.get_by_role("dialog")
    none = "No registry you may link to has a collection of type “%(kind)s”. Create one on the registry's page first."
    expect(dialog).to_contain_text(visitor.words(none, kind="model"))
    visitor.press(visitor.find("button", "Close", within=dialog))
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    collection = factories.make_collection(registry, "digits")
    page.keyboard.press("Enter")
    visitor.write(visitor.begins("textbox", "Aliases", within=dialog), "staging candidate")
    visitor.press(visitor.find("button", "Link version", within=dialog))
    toast(visitor, "Linked as %(name)s.", name="digits:v0")
    expect(page.get_by_role("heading", level=1)).to_have_text("digits:v0")
    linked = collection.memberships.get()
    assert names(linked) == ["candidate", "staging"]
    assert linked.artifact == trained.artifact

    source = page.locator(".card").filter(
        has=page.get_by_role("heading", name=visitor.words("Source and other links,Linked to").split(",")[0])
    )
    expect(source.get_by_role("link")).to_have_text("model:v0")
    visitor.press(visitor.find("button", "Unlink"))
    expect(dialog).to_contain_text("candidate, staging")
    expect(visitor.find("button", "Cancel", within=dialog)).to_be_focused()
    visitor.press(visitor.find("button", "Unlink version", within=dialog))
    toast(visitor, "%(name)s unlinked.", name="digits:v0")
    expect(page.get_by_text(visitor.words("Nothing is linked here yet."))).to_be_visible()
    assert not collection.memberships.exists()
    assert Membership.objects.filter(pk=trained.pk).exists()


def test_a_version_is_searched_for_and_linked_from_the_collection(
    visitor: Visitor, witness: Witness, registry: Registry, trained: Membership, alice: User
) -> None:
    witness.refusals = {422}
    assert trained.collection.project is not None
    factories.make_version(trained.collection.project, "other", user=alice)
    collection = factories.make_collection(registry, "digits")
    page = visitor.page
    page.goto(collection.get_absolute_url())
    visitor.press(visitor.find("button", "Link version"))
    dialog = page.get_by_role("dialog")
    search = visitor.find("searchbox", "Version", within=dialog)
    expect(search).to_be_focused()
    page.keyboard.type("nothing")
    none = "No version of type %(type)s that you may see has this in its name."
    expect(dialog.get_by_role("status")).to_have_text(visitor.words(none, type="model"))
    page.keyboard.press("Enter")
    wrong = "“%(name)s” names no version. Write it as team/project/collection:v3."
    expect(dialog).to_contain_text(visitor.words(wrong, name="nothing"))
    expect(search).to_be_focused()
    # Also a part of this would leave one; what it found makes way.
    with page.expect_response(re.compile("search=digits%2Fmod(&|$)")):
        visitor.write(search, "digits/mod")
    found = dialog.get_by_role("radio")
    expect(found).to_have_count(1)
    settled(page)
    visitor.press(found, "Space")
    visitor.press(visitor.find("button", "Link version", within=dialog))
    toast(visitor, "Linked as %(name)s.", name="digits:v0")
    assert collection.memberships.get().artifact == trained.artifact


def test_a_registry_is_created_filled_changed_and_deleted(visitor: Visitor, project: Project) -> None:
    organization = project.team.organization
    assert organization is not None
    factories.make_organization(admin=factories.make_user("alice"))
    page = visitor.page
    page.goto("/registries/")
    visitor.press(visitor.find("button", "Create registry"))
    dialog = page.get_by_role("dialog")
    visitor.write(visitor.field("Name", within=dialog), "models")
    visitor.press(visitor.find("button", "Create registry", within=dialog))
    toast(visitor, "Registry %(registry)s created.", registry="acme/models")
    expect(page.get_by_text(visitor.words("No collections yet."))).to_be_visible()

    visitor.press(visitor.find("button", "Create collection"))
    visitor.write(visitor.field("Name", within=dialog), "digits")
    visitor.write(visitor.field("Type", within=dialog), "dataset")
    visitor.press(visitor.find("button", "Create collection", within=dialog))
    toast(visitor, "Collection %(collection)s created.", collection="digits")
    expect(page.get_by_role("heading", level=1)).to_have_text("digits")
    assert Collection.objects.get(name="digits", registry__name="models").type == "dataset"

    visitor.press(page.get_by_role("link", name="acme/models"))
    visitor.press(visitor.find("button", "Settings"))
    visitor.write(visitor.field("Name", within=dialog), "data")
    visitor.press(visitor.find("combobox", "Visibility", within=dialog), "End")
    visitor.press(visitor.find("button", "Save", within=dialog))
    toast(visitor, "Registry %(registry)s changed.", registry="acme/data")
    only = visitor.words("Only these and admins of %(organization)s see this registry.", organization="acme")
    expect(page.locator("#people")).to_contain_text(only)
    assert Registry.objects.get(name="data").visibility == Visibility.RESTRICTED

    visitor.press(visitor.find("button", "Delete"))
    visitor.press(visitor.find("button", "Delete registry", within=dialog))
    toast(visitor, "Registry %(registry)s deleted.", registry="acme/data")
    expect(page.get_by_text(visitor.words("No registries yet."))).to_be_visible()
    assert not Registry.objects.exists()


def test_people_are_let_into_a_registry_given_roles_and_let_out(
    visitor: Visitor, witness: Witness, registry: Registry, bob: User
) -> None:
    witness.refusals = {422}
    page = visitor.page
    page.goto(registry.get_absolute_url())
    visitor.press(visitor.find("button", "Let in", within=page.locator("#people")))
    dialog = page.get_by_role("dialog")
    name = visitor.field("User or team", within=dialog)
    visitor.write(name, "nobody")
    visitor.press(visitor.find("button", "Let in", within=dialog))
    unknown = "There is no user or team “%(name)s” among those you know here."
    expect(dialog).to_contain_text(visitor.words(unknown, name="nobody"))
    expect(name).to_be_focused()
    visitor.write(name, "bob")
    visitor.press(visitor.find("button", "Let in", within=dialog))
    toast(visitor, "%(member)s is in %(registry)s now.", member="bob", registry="acme/models")
    row = page.locator("#people").get_by_role("row", name="bob")
    expect(row).to_contain_text(visitor.words("Member"))

    visitor.press(visitor.find("button", "Change role of %(name)s", name="bob"))
    visitor.press(visitor.field("Role", within=dialog), "Home")
    visitor.press(visitor.find("button", "Change role", within=dialog))
    expect(row).to_contain_text(visitor.words("All that members do, and settings, people, protected aliases"))
    assert RegistryMember.objects.get(user=bob).role == "admin"

    visitor.press(visitor.find("button", "Remove %(name)s", name="bob"))
    expect(visitor.find("button", "Cancel", within=dialog)).to_be_focused()
    visitor.press(visitor.find("button", "Remove", within=dialog))
    toast(visitor, "%(name)s is no longer in %(registry)s.", name="bob", registry="acme/models")
    expect(row).to_have_count(0)
    assert not RegistryMember.objects.filter(user=bob).exists()


def test_an_alias_is_protected_and_refused_to_members(
    visitor: Visitor, witness: Witness, registry: Registry, trained: Membership, alice: User
) -> None:
    witness.refusals = {422}
    linked = factories.make_link(trained, factories.make_collection(registry, "digits"), user=alice)
    page = visitor.page
    page.goto(registry.get_absolute_url())
    field = add(visitor, "Add protected alias", "production")
    say(visitor, "%(name)s added.", name="production")
    expect(field).to_be_focused()
    label = visitor.words("protected alias")
    unlock = visitor.find("button", "Remove %(label)s %(name)s", label=label, name="production")
    visitor.press(unlock)
    say(visitor, "%(name)s removed.", name="production")
    expect(unlock).to_have_count(0)
    visitor.press(visitor.find("button", "Undo"))
    expect(unlock).to_be_visible()
    settled(page)

    # Who is an admin may use it.
    page.goto(linked.get_absolute_url())
    add(visitor, "Add alias", "production")
    say(visitor, "%(name)s added.", name="production")
    remove = visitor.find("button", "Remove %(label)s %(name)s", label=visitor.words("alias"), name="production")
    expect(remove).to_be_visible()

    roster.change_role(registry, alice, role=Role.MEMBER, by=alice)
    page.reload()
    expect(page.locator("#labels").get_by_text("production", exact=True)).to_be_visible()
    expect(remove).to_have_count(0)
    note = "Only admins of the registry add, move or remove these: %(names)s."
    expect(page.get_by_text(visitor.words(note, names="production"))).to_be_visible()
    add(visitor, "Add alias", "production")
    refusal = (
        "You may not add, move or remove %(named)s in %(registry)s: only admins of the registry may change protected "
        "aliases. Ask one of them."
    )
    expect(page.get_by_role("alert")).to_have_text(visitor.words(refusal, named="“production”", registry="acme/models"))
    assert names(linked) == ["production"]


def test_the_number_of_executions_leads_to_the_history(
    visitor: Visitor, registry: Registry, trained: Membership, alice: User
) -> None:
    collection = factories.make_collection(registry, "digits")
    factories.make_automation(registry, "LINK_MODEL", name="Tell about links")
    factories.make_link(trained, collection, user=alice)
    page = visitor.page
    for address in (registry.get_absolute_url(), collection.get_absolute_url()):
        page.goto(address)
        number = page.locator("a.executions-count")
        said = visitor.count("execution in %(name)s", "executions in %(name)s", 1, name="digits")
        expect(number).to_contain_text(said)
        visitor.press(number)
        expect(page).to_have_url(re.compile(r"/history\?collection=digits$"))
        expect(page.get_by_role("row").filter(has_text="Tell about links")).to_have_count(1)
