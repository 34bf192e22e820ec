"""The first page: what is going on, failures first; how to begin, where nothing is yet."""

from django.conf import settings
from django.test import Client

from automations.models import Status
from projects.models import Project, User
from tests import factories


def home(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/").content.decode()


def test_somebody_new_learns_how_to_log_a_run_and_create_an_automation(charlie: User) -> None:
    page = home(charlie)
    assert f"curl {settings.PUBLIC_URL}/api/projects/charlie/digits/runs/" in page
    assert "examples/train_digits.py" in page
    assert "Create the first automation" in page


def test_failed_executions_come_first(project: Project, bob: User) -> None:
    run = factories.make_run(project, user=bob)
    for name, status in (("early failure", Status.FAILED), ("fine", Status.FINISHED), ("waiting", Status.PENDING)):
        automation = factories.make_automation(project, name=name)
        factories.make_execution(automation, factories.make_event(run), status=status)
    page = home(bob)
    assert page.index("early failure") < page.index("waiting") < page.index("fine")
    assert "Get started" not in page


def test_what_others_do_elsewhere_is_not_shown(project: Project, bob: User, charlie: User) -> None:
    """AZ1"""
    run = factories.make_run(project, user=bob, display_name="a secret run")
    factories.make_execution(factories.make_automation(project, name="a secret rule"), factories.make_event(run))
    page = home(charlie)
    assert "a secret run" not in page
    assert "a secret rule" not in page
    assert project.name + "</a>" not in page
