"""The wandb SDK's protocol as an adapter: scripts that set `WANDB_BASE_URL` work here unchanged.

No models and no rules of its own: a resolver translates names, makes one domain call, and translates back.
`docs/wandb-sdk.md` says what works.
"""
