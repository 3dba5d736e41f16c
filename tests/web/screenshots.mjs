// Pictures of the page for docs/screenshots, with a made-up team: run.sh screenshots HEARTH FOLDER
import path from 'node:path';

import { launch, madeUpTeam, openPage, pretend, serve } from './support.mjs';

const folder = process.argv[2];
const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 780 } };
const shots = [
  { name: 'chat-light-en', hash: '#/chat/1', options: { ...desktop, colorScheme: 'light' }, wait: '.message .katex' },
  { name: 'invite-dark-en', hash: '#/team', options: { ...desktop, colorScheme: 'dark' }, wait: '.page table', async steps(page) {
    await page.locator('header .button.primary').click();
    await page.locator('dialog .button.primary').click();
    await page.locator('dialog .qr').waitFor();
  } },
  { name: 'usage-light-zh', hash: '#/usage', options: { ...desktop, colorScheme: 'light', locale: 'zh-CN' }, wait: '.chart' },
  { name: 'load-dark-en', hash: '#/load', options: { ...desktop, colorScheme: 'dark' }, wait: '.page table' },
  { name: 'chat-phone-dark-zh', hash: '#/chat/1', options: { ...phone, colorScheme: 'dark', locale: 'zh-CN' }, wait: '.message .katex' },
  { name: 'signin-phone-light-en', hash: '#/', options: { ...phone, colorScheme: 'light' }, wait: '.gate form', signedOut: true },
];

const server = await serve();
const browser = await launch();
for (const { name, hash, options, wait, steps, signedOut } of shots) {
  const page = await openPage(browser, server.address, options);
  const answers = madeUpTeam();
  if (signedOut) answers['GET /session'] = null;
  await pretend(page, answers);
  await page.begin(hash);
  await page.waitForSelector(wait);
  await steps?.(page);
  await page.waitForTimeout(400);
  await page.screenshot({ path: path.join(folder, `web-${name}.png`) });
  await page.context().close();
}
await browser.close();
await server.stop();
