"""A camera that sends JPEG after JPEG over HTTP, as cheap ones and ESP32 boards do."""

import base64
import http.server
import threading

import cv2

PART = b"--frame\r\nContent-Type: image/jpeg\r\n"


class MjpegCamera:
    """`with MjpegCamera(pictures, fps) as camera:`; `camera.url` plays them again and again, `camera.url + "once"` once.

    `password` is asked of the user `counter`. `stall_after` pictures nothing more comes, and the line stays open.
    """

    def __init__(self, pictures, fps=10.0, *, password="", stall_after=None, has_lengths=True) -> None:
        self._jpegs = [cv2.imencode(".jpg", cv2.cvtColor(one, cv2.COLOR_RGB2BGR))[1].tobytes() for one in pictures]
        self._pause, self._stop = 1 / fps, threading.Event()
        self._wanted = "Basic " + base64.b64encode(f"counter:{password}".encode()).decode() if password else None
        self._stall_after, self._has_lengths = stall_after, has_lengths
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                """Quiet."""

            def do_GET(self):
                camera._answer(self)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request) -> None:
        if self._wanted and request.headers.get("Authorization") != self._wanted:
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="camera"')
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        count = 0
        while not self._stop.is_set():
            for jpeg in self._jpegs:
                if count == self._stall_after:
                    self._stop.wait()
                length = b"Content-Length: %d\r\n" % len(jpeg) if self._has_lengths else b""
                try:
                    request.wfile.write(PART + length + b"\r\n" + jpeg + b"\r\n")
                except OSError:
                    # The reader has gone.
                    return
                count += 1
                if self._stop.wait(self._pause):
                    return
            if request.path == "/once":
                return
