"""Files of other tools in and out. Pure: bytes become plans; recording them is the application's work."""
