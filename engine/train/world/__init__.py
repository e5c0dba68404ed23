"""The drawn world: stories with exact captions, drawn on the fly, that only memory can continue."""
