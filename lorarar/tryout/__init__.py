"""A tryout: two LoRAs by every method that needs nothing but their files, as a plan of one pair: ``lorarar try``."""
