"""Tools that every room uses: errors, files, progress, statistics, text."""
