from __future__ import annotations

from django.db import models


class ApiKey(models.Model):
    """A key a script signs in with. Only its SHA-256 is kept: a key has over 200 random bits, so a slow hash
    would protect nothing and cost every request."""

    user = models.ForeignKey("projects.User", on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=8, editable=False, help_text="The key's last characters.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"…{self.hint}"
