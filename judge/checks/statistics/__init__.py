"""The check's statistics: pure functions of answers and numbers, which know no critic, no database and no file."""
