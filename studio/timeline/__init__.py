"""The pure part of the studio: times, storyboards, plans and edits of a cut, without any I/O."""
