// SPDX-License-Identifier: GPL-3.0-or-later
/** The phone page as it travels: one document whose script and style are inside it, allowed by their hashes alone. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Reply } from './answer.ts'

export const PAGE_PATH = '/'

type Scheme = 'http' | 'https'

export interface Page {
  readonly plain: Uint8Array
  /** Browsers take brotli over TLS only, so an onion gets gzip. */
  readonly packed: Readonly<Record<'br' | 'gzip', Uint8Array>>
  readonly tag: string
  /** By the scheme of the face: TLS is the LAN's, where devices have servers of their own (SPEC 18). */
  readonly policy: Readonly<Record<Scheme, string>>
}

/** @param html  as scripts/web.ts wrote it */
export function preparePage(html: string): Page {
  const plain = Buffer.from(html)
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
  return {
    plain,
    packed: { br: brotliCompressSync(plain, quality), gzip: gzipSync(plain, { level: 9 }) },
    tag: `"${hashOf(html, 'base64url').slice(0, 22)}"`,
    policy: { http: policyOf(html, "'self'"), https: policyOf(html, "'self' https://*.local:*") },
  }
}

/** Answers with the page, or with nothing for a client that has this very one. */
export function tellPage(page: Page, asked: IncomingHttpHeaders, scheme: Scheme): Reply {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': page.policy[scheme],
    // A browser that holds an onion for insecure complains of this header there.
    ...(scheme === 'https' && { 'cross-origin-opener-policy': 'same-origin' }),
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    'cache-control': 'no-cache',
    etag: page.tag,
    vary: 'accept-encoding',
  }
  if (asked['if-none-match'] === page.tag) return { kind: 'empty', status: 304, headers }
  const takes = acceptedBy(asked['accept-encoding'])
  if (!takes) return { kind: 'bytes', body: page.plain, headers }
  return { kind: 'bytes', body: page.packed[takes], headers: { ...headers, 'content-encoding': takes } }
}

/** The better of ours that the client takes; one that is weighted at all is left alone. */
function acceptedBy(header: string | string[] | undefined): 'br' | 'gzip' | undefined {
  const taken = new Set(
    String(header ?? '')
      .toLowerCase()
      .split(',')
      .map((coding) => coding.trim()),
  )
  return taken.has('br') ? 'br' : taken.has('gzip') ? 'gzip' : undefined
}

/**
 * Nothing is loaded, run or sent but what is in the page and what its own home, and on the LAN its devices, answer. The hashes are those of the
 * script and the style as they stand in it (CSP 3 §8.4).
 */
function policyOf(html: string, partners: string): string {
  const inside = (tag: 'script' | 'style') =>
    [...html.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g'))]
      .map(([, text]) => `'sha256-${hashOf(text!, 'base64')}'`)
      .join(' ') || "'none'"
  return [
    "default-src 'none'",
    `script-src ${inside('script')}`,
    `style-src ${inside('style')}`,
    `connect-src ${partners}`,
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
}

function hashOf(text: string, as: 'base64' | 'base64url'): string {
  return createHash('sha256').update(text).digest(as)
}
