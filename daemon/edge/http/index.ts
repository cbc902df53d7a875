// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The HTTP API (SPEC 9): requests enter by faces (a unix socket, the LAN over TLS, each onion service), answers leave.
 *
 * Always true: every route but `GET /.well-known/shallot`, the page itself and those whose body says by itself who sealed it
 * runs only after a sealed request for exactly this method, path and body was verified, or a token; who asks is shown what
 * its grants name, at this moment, and nothing else; a page of another origin is refused; a face that belongs to one device
 * answers for every other as if there were none; what strangers send never costs a connection that proved itself
 * (limits.ts); a client that leaves does not take its command back.
 * Requests are parsed by node:http and matched by Hono's router. Hono's own Request and Response are not used: measured
 * over a unix socket they cost 1.2 to 1.3 times a bare request when they replace the globals of the process, 1.4 to 2.8
 * times when they do not, where this costs 0.9 to 1.0; and the Node adapter writes an error's text to the client and the console.
 * Absent on purpose: sessions, cookies, CORS, compression, HTTP/2, anything that could act without a seal.
 */
import type { Clock } from '../../base/clock.ts'
import { once } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import { App } from './app.ts'
import { type Face, type FaceOptions, openFace } from './face.ts'
import type { HttpHome } from './home.ts'
import { type HttpLimits, LIMITS } from './limits.ts'
import { type Page, preparePage } from './page.ts'
import type { RouteDeps } from './route.ts'
import { commandRoutes } from './routes/commands.ts'
import { enrolmentRoutes } from './routes/enrolments.ts'
import { eventRoutes } from './routes/events.ts'
import { formRoutes } from './routes/form.ts'
import { generationRoutes } from './routes/generations.ts'
import { hubRoutes } from './routes/hub.ts'
import { logRoutes } from './routes/log.ts'
import { meshRoutes } from './routes/mesh.ts'
import { pairingRoutes } from './routes/pairings.ts'
import { peopleRoutes } from './routes/people.ts'
import { serviceRoutes } from './routes/services.ts'
import { stillRoutes } from './routes/stills.ts'
import { thingRoutes } from './routes/things.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { updateRoutes } from './routes/updates.ts'
import { Watchers } from './watchers.ts'

export {
  type Face,
  type FaceAddress,
  type FaceOptions,
  HttpError,
  type TlsFace,
  type UnixFace,
} from './face.ts'
export type { HttpHome, StatusReport } from './home.ts'
export { type HttpLimits, LIMITS } from './limits.ts'

export interface HttpDeps {
  readonly clock: Clock
  readonly log: Log
  readonly home: HttpHome
}

export interface HttpOptions {
  /** The phone page as it was built; absent: `/` answers that there is none. */
  readonly page?: string | undefined
  /** Instead of LIMITS, one by one. */
  readonly limits?: Partial<HttpLimits>
}

export interface Http extends AsyncDisposable {
  /** Opens one face; the routes are the same on all. @throws HttpError address-in-use | cannot-listen | bad-certificate */
  face(options: FaceOptions): Promise<Face>
}

/** Disposing it, or aborting the signal, closes every face. */
export async function openHttp(deps: HttpDeps, options: HttpOptions, signal: AbortSignal): Promise<Http> {
  const { clock, log, home } = deps
  const limits: HttpLimits = Object.freeze({ ...LIMITS, ...options.limits })
  const routeDeps: RouteDeps = { clock, log, home, limits, watchers: new Watchers(limits) }
  const routes = [
    ...thingRoutes(routeDeps),
    ...commandRoutes(routeDeps),
    ...eventRoutes(routeDeps),
    ...enrolmentRoutes(routeDeps),
    ...serviceRoutes(routeDeps),
    ...hubRoutes(routeDeps),
    ...meshRoutes(routeDeps),
    ...generationRoutes(routeDeps),
    ...logRoutes(routeDeps),
    ...peopleRoutes(routeDeps),
    ...pairingRoutes(routeDeps),
    ...tokenRoutes(routeDeps),
    ...formRoutes(routeDeps),
    ...updateRoutes(routeDeps),
    ...stillRoutes(routeDeps),
  ]
  const page: Page | undefined = options.page === undefined ? undefined : preparePage(options.page)
  const app = new App(routeDeps, routes, page)
  const faces = new Set<Face>()

  const dispose = once(async () => {
    signal.removeEventListener('abort', onAbort)
    await Promise.all([...faces].map((face) => face[Symbol.asyncDispose]()))
  })
  const onAbort = () => {
    dispose().catch((error) => log.taskFailed('http', error))
  }
  signal.addEventListener('abort', onAbort, { once: true })

  return {
    async face(options) {
      signal.throwIfAborted()
      const face = await openFace({ clock, limits, app }, options)
      faces.add(face)
      if (signal.aborted) await face[Symbol.asyncDispose]()
      return {
        address: face.address,
        get connections() {
          return face.connections
        },
        get handshakes() {
          return face.handshakes
        },
        [Symbol.asyncDispose]() {
          faces.delete(face)
          return face[Symbol.asyncDispose]()
        },
      }
    },
    [Symbol.asyncDispose]: dispose,
  }
}
