"""What the first start of the server makes in this app."""

from typing import Any

from projects.models import Organization, User
from projects.provisioning import first_started
from registries import linking
from registries.models import Registry


def make_first_registry(sender: Any, organization: Organization, by: User, **kwargs: Any) -> None:
    """Give the first organization a registry, so that there is one to link to."""
    if not Registry.objects.filter(organization=organization, name="models").exists():
        linking.create_registry(organization, "models", by=by)


first_started.connect(make_first_registry, dispatch_uid="registries.provisioning")
