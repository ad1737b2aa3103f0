"""The protocol of pairs: two methods' pictures of a cell beside its references, asked in both orders."""
