// SPDX-License-Identifier: GPL-3.0-or-later
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

/** The one heading of a view; takes the focus when its view comes, so that a screen reader says where one is. */
export function Heading({ children }: { children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
