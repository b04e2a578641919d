"""Logs on a real stack: numbered lines while everything is killed, the spool in trouble, the store on S3."""
