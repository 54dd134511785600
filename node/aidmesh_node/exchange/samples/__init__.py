"""Files of the shapes we import, with invented people and places, for where no real ones are at hand."""
