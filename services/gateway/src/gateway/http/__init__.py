"""Ordinary HTTP requests: the page, the API and its documents."""
