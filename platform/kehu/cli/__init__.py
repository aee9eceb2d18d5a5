"""The command `kehu`: a command for each task of an operator."""
