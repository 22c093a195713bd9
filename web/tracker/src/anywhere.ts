// For the module alone, which is also imported where pages are rendered on a server: there these are empty. The build puts
// them in the place of the browser's names.
const here: any = globalThis;
const window: any = here.window || {};
const document: any = here.document;
const navigator: any = here.navigator || {};
const location: any = here.location || {};

export { document, location, navigator, window };
