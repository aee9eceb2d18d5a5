"""Changes told to programs of a firm by signed HTTPS calls."""
