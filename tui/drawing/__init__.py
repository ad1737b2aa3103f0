"""The drawing process of the Blend screen: its requests and replies, the app's end, and the process itself."""
