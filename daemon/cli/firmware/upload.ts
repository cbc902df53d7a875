// SPDX-License-Identifier: GPL-3.0-or-later
import { toBase64url } from '../../base/bytes.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import { fieldsOf, numberIn } from '../fields.ts'

/** Less than a request may carry. */
const PART_BYTES = 49_152

/**
 * Hands an image file in, part by part; what the home has already is not sent again.
 * @param digest  SHA-256 of its manifest @param onPart  told how many bytes are there
 */
export async function upload(
  api: Api,
  file: Uint8Array,
  digest: Uint8Array,
  onPart: (got: number) => void,
): Promise<void> {
  const path = `/images/${toBase64url(digest)}`
  for (let at = 0; at < file.length; ) {
    const part = file.subarray(at, at + PART_BYTES)
    const answer = await api.sendBytes('PUT', `${path}?at=${at}&size=${file.length}`, part)
    const got = numberIn(fieldsOf(answer, 'an upload'), 'got')
    if (got <= at) throw new CliError('conflict', 'somebody else hands in the same image at this moment')
    at = got
    onPart(Math.min(at, file.length))
  }
}
