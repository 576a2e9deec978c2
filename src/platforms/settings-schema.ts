import type * as z from 'zod/mini'

/** In either form of Zod; the small one (`zod/mini`) is the one that loads fast. */
export interface SettingsSchema<Settings> extends z.core.$ZodType<Settings> {
  parse(data: unknown): Settings
  safeParse(data: unknown): z.core.util.SafeParseResult<Settings>
}
