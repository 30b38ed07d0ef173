#!/bin/sh
# Renders the samples' avatars (512 × 512 PNG) from their SVG sources. Needs rsvg-convert (Debian: librsvg2-bin).
set -eu
cd "$(dirname "$0")"
for source in *.svg; do
    rsvg-convert --width 512 --height 512 "$source" --output "${source%.svg}.png"
done
