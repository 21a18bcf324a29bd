"""
Everything the bot talks to, on loopback: messenger emulators, an S3 server, a chat page.

Imports nothing of the product.
"""
