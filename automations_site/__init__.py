"""Configuration only: settings, addresses, the WSGI entry point. No rules and no models."""

PRODUCT_NAME = "Automations"
VERSION = "0.1.0"
