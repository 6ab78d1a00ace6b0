import { expect, test } from "vitest";
import { encryptPassword } from "./password";

async function pair() {
  const algorithm = {
    name: "RSA-OAEP",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ["encrypt", "decrypt"]);
  const der = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  const fingerprint = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const lines = btoa(String.fromCharCode(...der)).replace(/.{64}/g, "$&\n");
  const public_key = `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`;
  return { privateKey, key: { public_key, fingerprint } };
}

test("only the agent reads the password", async () => {
  const { privateKey, key } = await pair();
  const { padding, text } = await encryptPassword(key, "größer als nötig");
  const sealed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const opened = await crypto.subtle.decrypt({ name: "RSA-OAEP" }, privateKey, sealed);
  expect(padding).toBe("oaep");
  expect(new TextDecoder().decode(opened)).toBe("größer als nötig");
});

test("a key with another fingerprint gets no password, and a short password goes nowhere", async () => {
  const { key } = await pair();
  await expect(encryptPassword({ ...key, fingerprint: "00" }, "long enough")).rejects.toThrow("not sent");
  await expect(encryptPassword(key, "short")).rejects.toThrow("8 to 190");
});
