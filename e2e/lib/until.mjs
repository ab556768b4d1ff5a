// Waiting is for a condition, never for a time.

/**
 * Asks again until the condition answers something truthy, and hands that back.
 * @template T
 * @param {string} what what is waited for, for the message when it never comes
 * @param {() => T | Promise<T>} condition
 * @param {{within?: number, every?: number}} [limits] milliseconds
 * @returns {Promise<T>}
 */
export async function until(what, condition, { within = 15_000, every = 25 } = {}) {
  const deadline = performance.now() + within;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${within} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
