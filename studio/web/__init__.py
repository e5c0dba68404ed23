"""The JSON routes, the WebSocket, media and the guard in front of them."""
