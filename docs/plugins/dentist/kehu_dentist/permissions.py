"""The rights that the pages ask for."""

READ = "dentist.recall:read"
WRITE = "dentist.recall:write"
