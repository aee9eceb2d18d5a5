"""All that a firm keeps of one person: handed out as a file, or erased."""
