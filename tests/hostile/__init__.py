"""A corpus of files made to harm, and the tests that each is refused in words."""
