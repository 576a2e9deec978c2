import type { Routes } from '../route.ts'
import { appRoutes } from './apps.ts'
import { codeRoutes } from './code.ts'
import { userRoutes } from './user.ts'
import { manifestRoutes } from './manifests.ts'
import { recordRoutes } from './records.ts'
import { statusRoutes } from './statuses.ts'
import { talkRoutes } from './talk.ts'

/** Every operation that the sandbox has. */
export const routes: Routes = {
  ...appRoutes,
  ...codeRoutes,
  ...talkRoutes,
  ...recordRoutes,
  ...statusRoutes,
  ...manifestRoutes,
  ...userRoutes,
}
