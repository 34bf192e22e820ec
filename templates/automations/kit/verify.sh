#!/bin/sh
# Is a webhook genuine? Ends with 0 if it is, and with 1 if not. Give it the file of the body as it arrived, and in the
# environment WEBHOOK_SECRET and the headers WEBHOOK_ID, WEBHOOK_TIMESTAMP, WEBHOOK_SIGNATURE and X_WANDB_SIGNATURE.
# openssl is given the key as an argument: run this where nobody else sees the list of processes.
set -eu
body=$1
encoding={{ encoding }} # of X-Wandb-Signature: base64 or hex, as the webhook says
tolerance=300           # seconds that the clocks may differ, and that an old message is good for

hex() { od -An -v -tx1 | tr -d ' \n'; }
mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary; }
refuse() {
  echo "$1" >&2
  exit 1
}
# Compares digests made with a key nobody knows, so that the time it takes tells nothing.
nonce=$(openssl rand -hex 32)
same() { [ "$(printf %s "$1" | mac "$nonce" | hex)" = "$(printf %s "$2" | mac "$nonce" | hex)" ]; }

case $WEBHOOK_TIMESTAMP in '' | *[!0-9]*) refuse "The timestamp is not a number of seconds." ;; esac
age=$(($(date +%s) - WEBHOOK_TIMESTAMP))
[ "$age" -le "$tolerance" ] && [ "$age" -ge "-$tolerance" ] || refuse "The message is too old, or a clock is wrong."

key=$(printf %s "$WEBHOOK_SECRET" | hex)
if [ "$encoding" = hex ]; then wandb=$(mac "$key" <"$body" | hex); else wandb=$(mac "$key" <"$body" | openssl base64 -A); fi
same "$wandb" "$X_WANDB_SIGNATURE" || refuse "X-Wandb-Signature does not fit."

case $WEBHOOK_SECRET in whsec_*) key=$(printf %s "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | hex) ;; esac
standard=v1,$({ printf %s "$WEBHOOK_ID.$WEBHOOK_TIMESTAMP." && cat "$body"; } | mac "$key" | openssl base64 -A)
# While a secret is being rotated there are several signatures.
for one in $WEBHOOK_SIGNATURE; do same "$standard" "$one" && exit 0; done
refuse "webhook-signature does not fit."
