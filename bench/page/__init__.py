"""The page, measured in Chromium: frames, main thread, loading."""
