"""The API's page in a real browser: offline, and under the same security policy as every other page."""

import pytest
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer


@pytest.mark.browser
@pytest.mark.requires_service("chromium")
def test_the_page_shows_every_operation_and_breaks_no_policy(live_server: LiveServer, browser_path: str) -> None:
    complaints: list[str] = []
    outside: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: outside.append(request.url))
        answer = page.goto(f"{live_server.url}/api/docs/")
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        page.locator(".opblock").first.wait_for()
        operations = page.locator(".opblock").count()
        page.locator(".opblock-summary-path", has_text="metrics").first.click()
        page.locator(".opblock-body .example, .opblock-body .microlight").first.wait_for()
        browser.close()

    assert complaints == []
    assert [url for url in outside if not url.startswith((live_server.url, "data:"))] == []
    assert "unsafe-inline" not in policy
    assert operations > 50
