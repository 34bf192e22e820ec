"""The API's page in a real browser: offline, and under the same security policy as every other page."""

from playwright.sync_api import Page, expect


def test_the_page_shows_operations_as_one_scrolls_and_breaks_no_policy(page: Page) -> None:
    answer = page.goto("/api/docs/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    # Operations are drawn as one scrolls to them.
    metrics = page.locator(".opblock-summary-path", has_text="metrics").first
    for _ in range(100):
        if metrics.count():
            break
        page.mouse.wheel(0, 2_000)
        page.wait_for_timeout(100)
    metrics.click()
    expect(page.locator(".opblock-body .example, .opblock-body .microlight").first).to_be_visible()

    assert "unsafe-inline" not in policy
