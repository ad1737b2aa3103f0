"""What every room uses: errors, files, progress, statistics, text."""
