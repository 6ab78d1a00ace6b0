// Passwords of vaults, encrypted in the browser to an agent's key, so that the server never learns them.
import type { AgentKey, EncryptedPassword } from "./schema";

/** The shortest that is taken, in bytes: a vault can be tried offline by whoever has its files. */
export const MIN_PASSWORD = 8;
/** The longest: more does not fit the key. */
const MAX_PASSWORD = 190;

/** Encrypts a password to an agent: RSA-OAEP with SHA-256 (RFC 8017), then base64. */
export async function encryptPassword(key: AgentKey, password: string): Promise<EncryptedPassword> {
  const text = new TextEncoder().encode(password);
  if (text.length < MIN_PASSWORD || text.length > MAX_PASSWORD)
    throw new Error(`A vault's password has ${MIN_PASSWORD} to ${MAX_PASSWORD} bytes.`);
  if (!crypto.subtle)
    throw new Error(
      "This browser encrypts nothing over plain HTTP. Use HTTPS, or roadstead agents encrypt on the command line.",
    );
  const der = derOf(key.public_key);
  const found = hex(await crypto.subtle.digest("SHA-256", der));
  if (found !== key.fingerprint.toLowerCase())
    throw new Error(`The key has the fingerprint ${found}, and not the agent's: the password was not sent.`);
  const algorithm = { name: "RSA-OAEP", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("spki", der, algorithm, false, ["encrypt"]);
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, text));
  return { padding: "oaep", text: btoa(String.fromCharCode(...sealed)) };
}

/** What a PEM block holds (RFC 7468). */
function derOf(pem: string): Uint8Array<ArrayBuffer> {
  const text = atob(pem.replace(/-----[A-Z ]+-----/g, "").replace(/\s/g, ""));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
