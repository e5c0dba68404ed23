"""What the page and its API cost with a long film, measured in a real browser."""
