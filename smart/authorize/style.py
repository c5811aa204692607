"""What an app is told of the look of the EHR that opened it (LC-05)."""

import hashlib
import json

# The light values of our own stylesheet.
STYLE = {
    "color_background": "#eff3f1",
    "color_error": "#9b1f2a",
    "color_highlight": "#0e5a52",
    "color_modal_backdrop": "#11433d",
    "color_success": "#17623a",
    "color_text": "#14211f",
    "dim_border_radius": "6px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}


def style_version(style: dict[str, str]) -> str:
    """Another content has another name, so that an app may keep what it has read."""
    return hashlib.sha256(json.dumps(style, sort_keys=True).encode()).hexdigest()[:16]
