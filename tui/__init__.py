"""The terminal app: browse merges as pictures, vote in studies. No other room knows it but the command line."""
