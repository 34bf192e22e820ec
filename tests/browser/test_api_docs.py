"""The API's page in a real browser: offline, and under the same security policy as every other page."""

from playwright.sync_api import Page, expect


def test_the_page_shows_every_operation_and_breaks_no_policy(page: Page) -> None:
    answer = page.goto("/api/docs/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    page.locator(".opblock").first.wait_for()
    operations = page.locator(".opblock").count()
    page.locator(".opblock-summary-path", has_text="metrics").first.click()
    expect(page.locator(".opblock-body .example, .opblock-body .microlight").first).to_be_visible()

    assert "unsafe-inline" not in policy
    assert operations > 50
