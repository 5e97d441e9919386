# SPDX-License-Identifier: BSL-1.0
"""Dot charts on a logarithmic axis as SVG, in a light and a dark variant, with nothing but the standard library."""

import math
from xml.sax.saxutils import escape

THEMES = {
    "light": {"paper": "#ffffff", "text": "#1f2328", "faint": "#59636e", "grid": "#d8dee4", "band": "#f6f8fa"},
    "dark": {"paper": "#0d1117", "text": "#e6edf3", "faint": "#9198a1", "grid": "#30363d", "band": "#151b23"},
}
# Colour (light, dark) and shape: those who only count are round or square, collectors have corners.
SERIES = {
    "pygc": ("#cf222e", "#ff7b72", "star"),
    "shared": ("#0969da", "#58a6ff", "circle"),
    "shared_threaded": ("#0969da", "#58a6ff", "ring"),
    "intrusive": ("#1a7f37", "#3fb950", "square"),
    "by_hand": ("#59636e", "#9198a1", "box"),
    "libgc": ("#8250df", "#bc8cff", "diamond"),
    "python": ("#9a6700", "#d29922", "triangle"),
    "nim": ("#bc4c00", "#f0883e", "down"),
    "php": ("#bf3989", "#f778ba", "diamond"),
    "java": ("#116329", "#7ee787", "cross"),
    "node": ("#0a7ea4", "#39c5cf", "cross"),
}
LEFT, RIGHT, ROW, WIDTH = 330, 24, 24, 960


def polygon(points, x, y, colour):
    at = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points)
    return f'<polygon points="{at}" fill="{colour}"/>'


def mark(shape, x, y, colour):
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
    if shape == "ring":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{colour}" stroke-width="2"/>'
    if shape == "square":
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{colour}"/>'
    if shape == "box":
        return (f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="none" stroke="{colour}" '
                'stroke-width="2"/>')
    if shape == "cross":
        return (f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" stroke="{colour}" stroke-width="2" fill="none"/>')
    if shape == "star":
        points = [(6.5 * (1 if i % 2 == 0 else 0.45) * math.sin(i * math.pi / 5),
                   -6.5 * (1 if i % 2 == 0 else 0.45) * math.cos(i * math.pi / 5)) for i in range(10)]
        return polygon(points, x, y, colour)
    points = {"diamond": [(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)], "triangle": [(0, -5), (5, 4), (-5, 4)],
              "down": [(0, 5), (5, -4), (-5, -4)]}[shape]
    return polygon(points, x, y, colour)


def number(value):
    if value >= 1e6:
        return f"{value / 1e6:g}M"
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def dots(title, subtitle, rows, names, theme, line=None):
    """`rows`: (label, {contender: value above 0}); `names`: {contender: title}; `line`: a value to draw through."""
    colours = THEMES[theme]
    shown = [name for name in SERIES if name in names and any(name in values for _, values in rows)]
    all_values = [value for _, values in rows for name, value in values.items() if name in shown]
    if line is not None:
        all_values.append(line)
    low = math.floor(math.log10(min(all_values)) * 2 - 0.2) / 2
    high = math.ceil(math.log10(max(all_values)) * 2 + 0.2) / 2
    per_line = 3
    legend_lines = (len(shown) + per_line - 1) // per_line
    top = 66 + 20 * legend_lines
    bottom = top + ROW * len(rows)
    height = bottom + 34

    def x_of(value):
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
           f'font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="{escape(title)}">',
           f'<rect width="{WIDTH}" height="{height}" fill="{colours["paper"]}"/>',
           f'<text x="16" y="26" font-size="16" font-weight="600" fill="{colours["text"]}">{escape(title)}</text>',
           f'<text x="16" y="46" fill="{colours["faint"]}">{escape(subtitle)}</text>']
    for i, name in enumerate(shown):
        x, y = 24 + (i % per_line) * 310, 68 + 20 * (i // per_line)
        out.append(mark(SERIES[name][2], x, y - 4, SERIES[name][theme == "dark"]))
        out.append(f'<text x="{x + 12}" y="{y}" fill="{colours["text"]}">{escape(names[name])}</text>')
    for i in range(0, len(rows), 2):
        out.append(f'<rect x="0" y="{top + ROW * i}" width="{WIDTH}" height="{ROW}" fill="{colours["band"]}"/>')
    for power in range(math.ceil(low), math.floor(high) + 1):
        for step in (1, 2, 5):
            value = step * 10.0 ** power
            if not low <= math.log10(value) <= high:
                continue
            x = x_of(value)
            out.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{colours["grid"]}"/>')
            if step == 1 or high - low < 2.6:
                out.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="{colours["faint"]}">'
                           f'{number(value)}</text>')
    if line is not None:
        x = x_of(line)
        out.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="{SERIES["pygc"][theme == "dark"]}" '
                   'stroke-width="2"/>')
    for i, (label, values) in enumerate(rows):
        y = top + ROW * i + ROW / 2
        out.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" fill="{colours["text"]}">{escape(label)}</text>')
        for name in reversed(shown):
            if name in values:
                out.append(mark(SERIES[name][2], x_of(values[name]), y, SERIES[name][theme == "dark"]))
    out.append("</svg>")
    return "\n".join(out) + "\n"
