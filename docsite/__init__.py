"""The documentation as a site: what scripts/docs builds from docs/ and from the code."""
