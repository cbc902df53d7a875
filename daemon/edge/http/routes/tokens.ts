// SPDX-License-Identifier: GPL-3.0-or-later
import { DEVICE_ENVELOPE_BYTES_MAX, DIGEST_BYTES, LABEL_BYTES_MAX } from '../../../../schemas/gen/ts/wire.ts'
import { no } from '../../../base/error.ts'
import { TOKEN_GRANTS_MAX } from '../../../core/receive.ts'
import { empty, json, type Reply, refused } from '../answer.ts'
import { readBytes, readObject } from '../fields.ts'
import type { Asking, Route, RouteDeps } from '../route.ts'
import { tellToken } from '../telling-people.ts'

/** Bearer tokens for scripts and for pages without scripts (SPEC 9.6). */
export function tokenRoutes({ home }: RouteDeps): Route[] {
  const ofHome = { ofThing: false, who: 'sharer' } as const
  return [
    {
      ...ofHome,
      method: 'GET',
      path: '/tokens',
      run: ({ caller }: Asking) => json({ tokens: home.desk.tokens.list(caller).map(tellToken) }),
    },
    {
      ...ofHome,
      method: 'PUT',
      path: '/tokens/:name',
      takes: { type: 'application/json' },
      run: (asking: Asking) => put(home, asking),
    },
    {
      ...ofHome,
      method: 'DELETE',
      path: '/tokens/:name',
      async run({ params, caller }: Asking) {
        const removed = await home.desk.tokens.remove(params.name!, caller)
        return removed.ok ? empty() : refused(removed)
      },
    },
  ]
}

/** `{"digest": SHA-256 of the token's text, "grants": [envelope], "form": false}`. */
async function put(home: RouteDeps['home'], { params, body, caller }: Asking): Promise<Reply> {
  const fields = readObject(body, ['digest', 'grants', 'form'])
  if (!fields.ok) return refused(fields)
  const { digest: text, grants: given, form = false } = fields.value
  const name = params.name!
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) || name.length > LABEL_BYTES_MAX)
    return refused(
      no('bad-request', 'a token’s name is 1 to 32 letters, digits, dots, dashes or underscores'),
    )
  const digest = readBytes(text, DIGEST_BYTES, DIGEST_BYTES)
  const list = Array.isArray(given) ? given.map((one) => readBytes(one, 1, DEVICE_ENVELOPE_BYTES_MAX)) : []
  const grants = list.filter((frame) => frame !== undefined)
  const isWhole = grants.length === list.length && grants.length > 0 && grants.length <= TOKEN_GRANTS_MAX
  if (!digest || !isWhole || typeof form !== 'boolean') {
    const shape = `digest is 32 bytes and grants are 1 to ${TOKEN_GRANTS_MAX} envelopes, in base64url; form is true or false`
    return refused(no('bad-request', shape))
  }
  const kept = await home.desk.tokens.put({ name, digest, form, grants }, caller, home.desk.people.grant)
  return kept.ok ? json(tellToken(kept.value)) : refused(kept)
}
