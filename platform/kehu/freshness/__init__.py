"""Who verified which fact when, and from what source; what has to be looked at again."""
