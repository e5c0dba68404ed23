"""The studio: the page, its server, its commands."""
