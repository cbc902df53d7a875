// SPDX-License-Identifier: GPL-3.0-or-later
/** Keys and onion addresses as libp2p spells them. */
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { CODE_ONION3, CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { fromBase32 } from '../../base/bytes.ts'
import { onionAddress } from '../../core/identity/index.ts'
import { idOf, keyOf, type PartyId } from '../../core/model/index.ts'

/** The virtual port of every daemon's onion services. */
export const ONION_PORT = 80

export function peerIdOf(party: PartyId): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(keyOf(party)))
}

/** Undefined for a peer whose id is no Ed25519 key: none of ours. */
export function partyOf(peer: PeerId): PartyId | undefined {
  return peer.type === 'Ed25519' ? idOf(peer.publicKey.raw) : undefined
}

/** `address` is 56 characters and `.onion`. */
export function onionMultiaddr(address: string, peer: PartyId): Multiaddr {
  return multiaddr(`/onion3/${address.replace(/\.onion$/, '')}:${ONION_PORT}/p2p/${peerIdOf(peer)}`)
}

/** Strictly `/onion3/<56>:<port>`, with or without `/p2p/…`, version and checksum right; multiaddr itself checks neither. */
export function readOnion(address: Multiaddr): { address: string; port: number } | undefined {
  const [onion, peer, ...more] = address.getComponents()
  if (onion?.code !== CODE_ONION3 || more.length > 0 || (peer && peer.code !== CODE_P2P)) return undefined
  const [host = '', digits = ''] = (onion.value ?? '').split(':')
  const port = Number(digits)
  if (!/^[1-9]\d{0,4}$/.test(digits) || port > 65_535) return undefined
  const key = /^[a-z2-7]{56}$/.test(host) ? fromBase32(host)?.subarray(0, 32) : undefined
  return key && onionAddress(key) === `${host}.onion` ? { address: `${host}.onion`, port } : undefined
}
