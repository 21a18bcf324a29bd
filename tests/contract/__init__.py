"""What the bot relies on at others': the same tests against every server that can be had on loopback."""
