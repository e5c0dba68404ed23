"""The storage: history, takes, memory entries, jobs and blobs."""
