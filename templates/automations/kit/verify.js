// Is a webhook genuine? For Node.js, without packages.
const crypto = require("node:crypto");

const ENCODING = "{{ encoding }}"; // of X-Wandb-Signature: base64 or hex, as the webhook says
const TOLERANCE = 5 * 60; // seconds that the clocks may differ, and that an old message is good for

// `body` is a Buffer of the bytes as they arrived, `headers` has names in lower case, as in request.headers.
function isGenuine(body, headers, secret) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  const wandb = headers["x-wandb-signature"];
  if (!id || !timestamp || !signatures || !wandb || !/^[0-9]+$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) return false;

  const prefix = "whsec_";
  const key = secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : secret;
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const standard = `v1,${crypto.createHmac("sha256", key).update(signed).digest("base64")}`;
  const expected = crypto.createHmac("sha256", secret).update(body).digest(ENCODING);
  // While a secret is being rotated there are several signatures.
  return same(expected, wandb) && signatures.split(" ").filter((one) => same(standard, one)).length > 0;
}

// Takes the same time wherever they differ.
function same(expected, received) {
  const [one, other] = [Buffer.from(expected), Buffer.from(received)];
  return one.length === other.length && crypto.timingSafeEqual(one, other);
}

module.exports = { isGenuine };
