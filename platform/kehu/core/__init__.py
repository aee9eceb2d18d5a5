"""Ground modules that every feature stands on; they import no feature."""
