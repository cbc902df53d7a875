// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase32 } from '../../base/bytes.ts'
import type { Other } from '../answers.ts'
import { writeKey } from '../identity.ts'
import { usePage } from '../parts/context.ts'
import type { State } from '../state.ts'
import { withWays } from '../ways.ts'

/**
 * The other homes by whose addresses this phone may come (SPEC 11.5, 14.9). As with a renewed address the key is taken along behind
 * `#`, by a button that a person presses, and with it the way back.
 */
export function OthersView() {
  const { state, keep, words } = usePage()
  const ways = keep.others()
  const { host } = state.others ?? {}
  const back = host?.connected ? ways.find(({ home }) => home === host.home) : undefined
  const isDown = isSilent(state) && ways.length > 0
  return (
    <div role="status">
      {isDown && (
        <section class="card notice" aria-label={words.others.down}>
          <p>
            <strong>{words.others.down}</strong>
          </p>
          <p>{words.others.why}</p>
          <Ways ways={ways} say={words.others.go} />
        </section>
      )}
      {!isDown && back && (
        <section class="card notice" aria-label={words.others.again(back.home)}>
          <p>
            <strong>{words.others.again(back.home)}</strong>
          </p>
          <Ways ways={[back]} say={words.others.back} />
        </section>
      )}
    </div>
  )
}

/** Where else one can go, before it is needed: once the page of a home that is down is closed, it does not open again. */
export function OtherWays() {
  const { keep, words } = usePage()
  const ways = keep.others()
  if (ways.length === 0) return null
  return (
    <section class="card">
      <h2>{words.others.title}</h2>
      <p>{words.others.keep}</p>
      <Ways ways={ways} say={words.others.go} />
    </section>
  )
}

/** It has not answered for some seconds, and did before or was asked and is not there. */
function isSilent({ link, me }: State): boolean {
  return (
    (link.kind === 'lost' && link.code === 'unreachable') || (link.kind === 'connecting' && me !== undefined)
  )
}

function Ways({ ways, say }: { ways: readonly Other[]; say: (home: string) => string }) {
  const { words } = usePage()
  return (
    <ul class="ways">
      {ways.map((way) => (
        <li key={way.address}>
          <Go way={way} say={say} />
          <p>
            <code>{way.address}</code>
          </p>
          {way.clientKey && <p>{words.moved.clientKey(toBase32(way.clientKey).toUpperCase())}</p>}
        </li>
      ))}
    </ul>
  )
}

function Go({ way, say }: { way: Other; say: (home: string) => string }) {
  const { state, keep } = usePage()
  const go = () => {
    const identity = keep.identity()
    if (!identity) return
    const rest = keep.others().filter(({ address }) => address !== way.address)
    const here = state.others?.here
    const back = here === undefined ? [] : [{ home: here, address: location.hostname }]
    location.assign(`http://${way.address}/#${withWays(writeKey(identity), [...back, ...rest])}`)
  }
  return (
    <button type="button" class="plain" onClick={go}>
      {say(way.home)}
    </button>
  )
}
