// SPDX-License-Identifier: GPL-3.0-or-later

import { useMemo } from 'preact/hooks'
import encodeQR from 'qr'

const BORDER = 3

/** Dark on light in either theme, because cameras want it so. */
export function QrFigure({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => encodeQR(text, 'raw', { ecc: 'low', border: BORDER }), [text])
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('')
  return (
    <svg class="qr" viewBox={`0 0 ${rows.length} ${rows.length}`} role="img" aria-label={label}>
      <path d={path} />
    </svg>
  )
}
