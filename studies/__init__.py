"""Blind human studies of generated pictures: designed, held and reported without any face of their own."""
