"""A bot that saves the files people send it in Telegram or VK to an S3 bucket."""
