// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { IMAGE_FILE_BYTES_MAX } from './image-file.ts'

/** Files that are on their way in at once; of more, the one that was begun first is dropped. */
const UPLOADS_MAX = 2

export interface Part {
  /** SHA-256 of the manifest in the file that this is a part of. */
  readonly digest: Uint8Array
  readonly at: number
  /** Of the whole file. */
  readonly size: number
  readonly bytes: Uint8Array
}

interface Upload {
  readonly file: Uint8Array
  got: number
}

/** Image files that come in parts, in order, because no request may be as long as one. */
export class Uploads {
  readonly #open = new Map<string, Upload>()

  /** How much is here; the file, once that is all. A part that is not the next one changes nothing. */
  add({ digest, at, size, bytes }: Part): Verdict<{ got: number; file?: Uint8Array }, 'bad-request'> {
    if (size > IMAGE_FILE_BYTES_MAX || at + bytes.length > size) return no('bad-request', 'it is too long')
    const name = toHex(digest)
    const upload = at === 0 ? this.#begin(name, size) : this.#open.get(name)
    if (upload?.file.length !== size) return no('bad-request', 'no file of this size is on its way in')
    if (at === upload.got) {
      upload.file.set(bytes, at)
      upload.got += bytes.length
    }
    if (upload.got < size) return yes({ got: upload.got })
    this.#open.delete(name)
    return yes({ got: size, file: upload.file })
  }

  #begin(name: string, size: number): Upload {
    this.#open.delete(name)
    if (this.#open.size >= UPLOADS_MAX) this.#open.delete(this.#open.keys().next().value!)
    const upload = { file: new Uint8Array(size), got: 0 }
    this.#open.set(name, upload)
    return upload
  }
}
