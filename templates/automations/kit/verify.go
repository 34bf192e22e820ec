// Package webhook tells whether a webhook is genuine.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	encoding  = "{{ encoding }}" // of X-Wandb-Signature: base64 or hex, as the webhook says
	tolerance = 5 * time.Minute // that the clocks may differ, and that an old message is good for
)

// IsGenuine checks the body as it arrived, before it is parsed.
func IsGenuine(body []byte, headers http.Header, secret string) bool {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}

	key := []byte(secret)
	if encoded, found := strings.CutPrefix(secret, "whsec_"); found {
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return false
		}
	}
	standard := "v1," + base64.StdEncoding.EncodeToString(sum(key, []byte(id+"."+timestamp+"."), body))
	wandb := base64.StdEncoding.EncodeToString(sum([]byte(secret), body))
	if encoding == "hex" {
		wandb = hex.EncodeToString(sum([]byte(secret), body))
	}

	fits := false
	for _, one := range strings.Split(headers.Get("webhook-signature"), " ") {
		// While a secret is being rotated there are several signatures.
		fits = hmac.Equal([]byte(standard), []byte(one)) || fits
	}
	return hmac.Equal([]byte(wandb), []byte(headers.Get("X-Wandb-Signature"))) && fits
}

func sum(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}
