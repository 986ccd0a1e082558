import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

import { launch } from "./browser";

/** One browser for the tests of a file, and a page of its own for each of them. */
export function eachPage(use: (page: Page) => void): void {
  let browser: BrowserContext | undefined;
  let page: Page | undefined;
  beforeAll(async () => {
    browser = await launch();
  });
  beforeEach(async () => {
    page = await browser!.newPage();
    use(page);
  });
  afterEach(() => page?.close());
  afterAll(() => browser?.close());
}
