"""Fields that firms make themselves: their definitions, the page where they are shaped, and the jobs that follow."""
