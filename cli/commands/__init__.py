"""One module for each command or family of commands, and what all of them share."""
