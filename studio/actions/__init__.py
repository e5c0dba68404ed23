"""What an editor can do: one verb a file, each one transaction with one label."""
