"""Training of the embedded model: the drawn world, the stages and what every stage shares."""
