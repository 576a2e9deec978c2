import { ApiReply, notFound } from '../reply.ts'
import type { Routes } from '../route.ts'
import { appShape } from '../shapes.ts'

/** An app that a person has just created from a manifest: its credentials, once. */
export const manifestRoutes: Routes = {
  'POST /app-manifests/{code}/conversions': {
    kind: 'global',
    handle: ({ world, params }) => {
      const code = params['code'] ?? ''
      const app = world.manifestCodes.get(code)
      if (!app || !world.manifestCodes.delete(code)) throw notFound()
      return new ApiReply(201, {
        ...appShape(world, app),
        ...{ client_id: app.clientId, client_secret: app.clientSecret },
        ...{ webhook_secret: app.webhookSecret, pem: app.privateKey },
      })
    },
  },
}
