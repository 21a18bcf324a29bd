"""The messengers the bot speaks with, behind one contract (`base`)."""
