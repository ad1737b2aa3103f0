"""The drawing process of the Blend screen: what is asked of it, the app's end, and the process itself."""
