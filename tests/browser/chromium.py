"""Debian's Chromium for tests of pages: headless, without a network. Import ``browser`` and ``watched`` as fixtures."""

import shutil

import pytest
from debian import needs
from playwright import sync_api as api

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
ARGUMENTS += ("--disable-background-networking", "--disable-component-update", "--disable-sync")
needs_chromium = needs("chromium")


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture
def watched(browser):
    """Open an address at a width: the page, what it requested, and what it complained about."""
    opened = []

    def at(address, width):
        page = browser.new_page(viewport={"width": width, "height": 900}, accept_downloads=True)
        opened.append(page)
        requests, complaints = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(address)
        return page, requests, complaints

    yield at
    for page in opened:
        page.close()
