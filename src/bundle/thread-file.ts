/** Where a packing thread's program is. In `dist` it is another file: `app/programs.ts` puts its place here. */
export const threadFile: URL | string = new URL('./packing-thread.ts', import.meta.url)
