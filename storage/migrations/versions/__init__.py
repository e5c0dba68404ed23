"""One file per migration. Ids never change once released."""
