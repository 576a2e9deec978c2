import type { Probot } from 'probot'
import type { App } from './context.ts'
import { onChecks, onStatus } from './on-checks.ts'
import { onCommand } from './on-command.ts'
import { onDeployment } from './on-deployment.ts'
import { onInstallation } from './on-installation.ts'
import { onPush } from './on-push.ts'
import { onRelease } from './on-release.ts'
import { onRepository } from './on-repository.ts'

/** Which event does what. A handler turns a payload into rows and returns; it may be called again for the same delivery. */
const handlers = {
  push: onPush,
  'release.published': onRelease,
  'issue_comment.created': onCommand,
  'check_suite.completed': onChecks,
  status: onStatus,
  'deployment_status.created': onDeployment,
  repository: onRepository,
  installation: onInstallation,
  installation_repositories: onInstallation,
} as const

/** What the app listens to, as GitHub names it. */
export const eventNames: readonly string[] = [
  ...new Set(Object.keys(handlers).map((name) => name.split('.')[0] ?? name)),
]

export function register(probot: Probot, app: App): void {
  for (const [name, handler] of Object.entries(handlers)) {
    // The names are the keys above, every one an event of GitHub's.
    probot.on(name as keyof typeof handlers, ({ id, payload }) => handler({ id, payload }, app))
  }
}
