// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase32 } from '../../base/bytes.ts'
import { writeKey } from '../identity.ts'
import { usePage } from '../parts/context.ts'

/**
 * Another address for this phone (SPEC 10.4, 11.3). A browser keeps a key for one origin alone, so it is taken along, behind
 * `#`, by a button that a person presses: the key stands in no link that could be copied or shown, and goes nowhere unasked.
 */
export function MovedView() {
  const { state, keep, words } = usePage()
  const { moved } = state
  const identity = keep.identity()
  return (
    <div role="status">
      {moved && identity && (
        <section class="card notice" aria-label={words.moved.title}>
          <p>
            <strong>{words.moved.title}</strong>
          </p>
          <p>
            <code>{moved.address}</code>
          </p>
          <p>{words.moved.why}</p>
          {moved.clientKey && <p>{words.moved.clientKey(toBase32(moved.clientKey).toUpperCase())}</p>}
          <button
            type="button"
            class="plain"
            onClick={() => location.replace(`http://${moved.address}/#${writeKey(identity)}`)}
          >
            {words.moved.go}
          </button>
        </section>
      )}
    </div>
  )
}
