"""The threads that claim jobs, have them run and commit what they leave."""
