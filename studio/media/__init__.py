"""Film out and footage in: everything that decodes or encodes on the studio's side."""
