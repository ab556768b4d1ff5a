// Pages as they look in every width; with VESTIBULE_E2E_PICTURES=1 there are pictures of them in shots/.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assertReadable } from "./pages.mjs";

const wanted = process.env.VESTIBULE_E2E_PICTURES === "1";
const folder = fileURLToPath(new URL("../shots/", import.meta.url));
mkdirSync(folder, { recursive: true });

const widths = [320, 390, 1280];
const schemes = ["light", "dark"];

/** Looks at the page as it stands, in every width, and takes pictures in each scheme for whoever wants to see them. */
export async function shoot(page, name) {
  // A page that refreshes itself would do so between two pictures.
  await page.evaluate(() => window.stop());
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 1000 ? 844 : 800 });
    for (const colorScheme of wanted ? schemes : []) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${folder}${name}-${width}-${colorScheme}.png`, fullPage: true, animations: "disabled" });
    }
    await assertReadable(page).catch((error) => assert.fail(`${name} at ${width}: ${error.message}`));
  }
}
