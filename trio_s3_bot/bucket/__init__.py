"""The S3 store: the only place that knows boto3."""

from trio_s3_bot.bucket.body import Body
from trio_s3_bot.bucket.check import Probe, probe_key
from trio_s3_bot.bucket.objects import ObjectFacts, OpenUpload
from trio_s3_bot.bucket.store import Bucket

__all__ = ["Body", "Bucket", "ObjectFacts", "OpenUpload", "Probe", "probe_key"]
