"""Training: one stage a file, never imported at run time."""
