// The dev inbox as a person's mailbox.

import { demo } from "./world.mjs";
import { until } from "./until.mjs";

/** All messages to an address, newest last. */
export async function messagesTo(address) {
  const reply = await fetch(`${demo.inbox.replace(/\/$/, "")}/messages`);
  if (!reply.ok) throw new Error(`the inbox answered ${reply.status}`);
  const wanted = address.toLowerCase();
  return (await reply.json()).filter((message) => recipients(message).includes(wanted));
}

/**
 * Does something and waits for the mail that it causes.
 * @returns the message
 */
export async function mailFrom(address, action) {
  const before = (await messagesTo(address)).length;
  await action();
  return until(`a mail to ${address}`, async () => {
    const now = await messagesTo(address);
    return now.length > before && now.at(-1);
  });
}

/** Does something and waits for the one-time code that it causes. */
export async function codeFrom(address, action) {
  return codeIn(await mailFrom(address, action));
}

/** The one-time code of a message: eight digits. */
export function codeIn(message) {
  const found = /(?<!\d)\d{8}(?!\d)/.exec(`${message.subject}\n${message.text}`);
  if (!found) throw new Error(`no code in the mail "${message.subject}"`);
  return found[0];
}

/** A code of the right shape that is not this one. */
export function otherCode(code) {
  return String((Number(code) + 1) % 100_000_000).padStart(8, "0");
}

function recipients({ to }) {
  return [to].flat().map((one) => String(one?.address ?? one).toLowerCase());
}
