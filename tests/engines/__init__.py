"""Browser engines other than Chromium, as Debian has them, driven by their standard protocols.

Playwright drives builds of its own; to the stock Firefox it sends commands that the ESR does not
know. Selenium needs geckodriver for Firefox, which Debian does not have. Four commands are enough.
"""
