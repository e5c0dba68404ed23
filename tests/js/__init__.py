"""The page's pure modules, run by node."""
