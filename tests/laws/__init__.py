"""Laws: state machines and round trips that hold for any sequence of operations."""
